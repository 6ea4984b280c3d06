# SPDX-License-Identifier: Apache-2.0
"""One anchor per cell of a temporal pyramid."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vtg.registry import TASK_UTILS
from vtg.utils import ConfigError


@TASK_UTILS.register_module()
class AnchorGenerator1D:
    """Anchors ``(start, end)`` in clip units, one width per level.

    Cell j of a level has its anchor's centre at ``(j + 0.5) * stride``. Anchors may reach beyond
    the video; they are not clipped.

    Args:
        strides: Width of a cell in clips, per level.
        sizes: Size of an anchor in clips, per level.
        width_offset: The true width is ``size - width_offset``. Detectors that count both border
            pixels of a box, and SG-DETR with them, use 1; 0 makes size and width the same.
    """

    def __init__(
        self,
        strides: Sequence[float] = (0.5, 1, 2, 4),
        sizes: Sequence[float] = (4, 16, 32, 64),
        width_offset: float = 1.0,
    ) -> None:
        if len(strides) != len(sizes):
            raise ConfigError(
                f'AnchorGenerator1D: {len(strides)} strides but {len(sizes)} sizes; '
                'give one size per pyramid level.'
            )
        if min(sizes) <= width_offset:
            raise ConfigError(
                f'AnchorGenerator1D: sizes must exceed width_offset={width_offset}, got {sizes}.'
            )
        self.strides = tuple(float(stride) for stride in strides)
        self.widths = tuple(float(size) - width_offset for size in sizes)

    def __call__(
        self,
        lengths: Sequence[int],
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> list[Tensor]:
        """Return one ``(lengths[k], 2)`` tensor per level: start and end in clips."""
        if len(lengths) != len(self.strides):
            raise ConfigError(
                f'AnchorGenerator1D is set up for {len(self.strides)} pyramid levels but got '
                f'{len(lengths)}; make its strides those of model.neck.'
            )
        anchors = []
        for length, stride, width in zip(lengths, self.strides, self.widths):
            centre = (torch.arange(length, dtype=dtype, device=device) + 0.5) * stride
            anchors.append(torch.stack((centre - 0.5 * width, centre + 0.5 * width), dim=-1))
        return anchors
