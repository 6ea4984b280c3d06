# SPDX-License-Identifier: Apache-2.0
"""Joint positions of frames and patches."""

import torch
from torch import Tensor, nn


def _waves(places: Tensor, channels: int) -> Tensor:
    """Sines, then cosines, of places ``(n,)`` in ``(n, channels)``, float64."""
    rates = 10000.0 ** -(torch.arange(channels // 2, dtype=torch.float64) / (channels / 2))
    angles = places.double()[:, None] * rates
    return torch.cat((angles.sin(), angles.cos()), dim=1)


def fresh_positions(dim: int, frames: int, grid: int) -> Tensor:
    """The table that training starts from, ``(1 + frames * grid**2, dim)``.

    A quarter of the channels is for the time, half of the others for the column, the rest for the
    row; the row of the class token is zero.
    """
    time = _waves(torch.arange(frames), dim // 4)
    side = _waves(torch.arange(grid), dim // 8 * 3)
    parts = (
        time[:, None, None].expand(-1, grid, grid, -1),
        side[None, None, :].expand(frames, grid, -1, -1),
        side[None, :, None].expand(frames, -1, grid, -1),
    )
    table = torch.cat(parts, dim=-1).flatten(0, 2)
    return torch.cat((table.new_zeros(1, dim), table)).float()


def resize_positions(positions: Tensor, frames: int, new_frames: int, new_grid: int) -> Tensor:
    """Interpolate ``(1, 1 + frames * N, D)`` to other frames, then to other patches per frame.

    Time is linear for every patch, space bicubic for every frame, without antialiasing; both with
    centres of intervals. The row of the class token stays.
    """
    token, patches = positions[:, :1], positions[0, 1:].unflatten(0, (frames, -1))
    count, dim = patches.shape[1:]
    if new_frames != frames:
        lines = patches.permute(1, 2, 0).flatten(0, 1)[None].float()  # (1, N D, T)
        lines = nn.functional.interpolate(lines, new_frames, mode='linear', align_corners=False)
        patches = lines[0].unflatten(0, (count, dim)).permute(2, 0, 1).to(positions.dtype)
    grid = round(count**0.5)
    if new_grid != grid:
        images = patches.unflatten(1, (grid, grid)).permute(0, 3, 1, 2).float()
        images = nn.functional.interpolate(
            images, (new_grid, new_grid), mode='bicubic', align_corners=False
        )
        patches = images.permute(0, 2, 3, 1).flatten(1, 2).to(positions.dtype)
    return torch.cat((token, patches.flatten(0, 1)[None]), dim=1)
