# SPDX-License-Identifier: Apache-2.0
"""Temporal feature layering."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Neck
from vtg.models.layers import convolve, masked_fill_zero
from vtg.registry import MODELS
from vtg.structures import FeaturePyramid, GroundingState
from vtg.utils import ConfigError


class HalvingBlock(nn.Module):
    """Convolution over two cells at a time; an odd last cell is dropped.

    Args:
        dim: Channels.
        plain: Without LayerNorm and ReLU behind it.
    """

    def __init__(self, dim: int, plain: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv1d(dim, dim, 2, stride=2)
        self.norm = None if plain else nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, L, D)`` to ``(B, L // 2, D)``."""
        x = convolve(self.conv, x)
        return x if self.norm is None else F.relu(self.norm(x))


@MODELS.register_module()
class TemporalPyramid(Neck):
    """The memory at several strides, each made by convolutions of its own.

    FlashVTG's temporal feature layering (Cao et al., 2025, section 3.4), as in its released code: a
    level of stride ``2^p`` has p blocks and reads the memory. A cell exists only where all its
    clips do, so a video of n clips has ``n // stride`` cells and none sees padding.

    Args:
        dim: Channels.
        strides: Clips per cell of every level, powers of two, finest first.
        mask_padding: False keeps what lies beyond the end of a video and counts a cell as real if
            any of its clips is, as the released code does in training.
        plain: Convolutions alone, of the memory as it is, as the paper writes it; the released code
            rectifies the memory and has LayerNorm and ReLU behind every convolution.
    """

    provides = ('pyramid',)

    def __init__(
        self,
        dim: int,
        strides: Sequence[int] = (1, 2, 4, 8),
        mask_padding: bool = True,
        plain: bool = False,
    ) -> None:
        super().__init__()
        if any(stride < 1 or stride & (stride - 1) for stride in strides):
            raise ConfigError(f'TemporalPyramid: strides must be powers of two, got {strides}.')
        if sorted(set(strides)) != list(strides) or not strides:
            raise ConfigError(
                f'TemporalPyramid: strides must rise from level to level, got {strides}.'
            )
        self.dim = dim
        self.whole_strides = tuple(int(stride) for stride in strides)
        self.strides = self.whole_strides
        self.mask_padding = mask_padding
        self.plain = plain
        self.levels = nn.ModuleList(
            nn.Sequential(*(HalvingBlock(dim, plain) for _ in range(stride.bit_length() - 1)))
            for stride in self.whole_strides
        )

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``pyramid`` with lengths ``max(1, L // stride)``."""
        memory, mask = state.for_moments, state.video_mask
        if not self.plain:
            memory = F.relu(memory)
        if self.mask_padding:
            memory = masked_fill_zero(memory, mask)
        # A batch of videos shorter than a stride keeps one cell at that level, which is not real.
        size = memory.shape[1]
        missing = max(0, max(self.whole_strides) - size)
        memory, mask = F.pad(memory, (0, 0, 0, missing)), F.pad(mask, (0, missing))
        features, masks = [], []
        for stride, level in zip(self.whole_strides, self.levels):
            cells = level(memory)
            clips = mask[:, : cells.shape[1] * stride].unflatten(1, (-1, stride))
            real = clips.all(dim=-1) if self.mask_padding else clips.any(dim=-1)
            real[:, size // stride :] = False
            features.append(masked_fill_zero(cells, real) if self.mask_padding else cells)
            masks.append(real)
        pyramid = FeaturePyramid(
            tuple(features), tuple(masks), self.strides, whole_cells=self.mask_padding
        )
        return {'pyramid': pyramid}
