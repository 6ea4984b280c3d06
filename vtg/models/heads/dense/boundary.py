# SPDX-License-Identifier: Apache-2.0
"""Boundaries of the moments that points of a pyramid find."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.layers import MaskedConv1d
from vtg.models.task_modules import PointAssignment, Points
from vtg.structures import FeaturePyramid, in_float32
from vtg.utils import ConfigError


def boundaries(points: Points, offsets: Tensor) -> Tensor:
    """Start and end ``(B, P, 2)`` in clips that lie ``offsets (B, P, 2)`` strides from points."""
    reach = offsets * points.stride[:, None]
    position = points.position
    return torch.stack((position - reach[..., 0], position + reach[..., 1]), dim=-1)


@dataclass(frozen=True)
class PointOutputs:
    """Predictions of all P points, level after level.

    Attributes:
        logits: ``(B, P)`` class logits.
        offsets: ``(B, P, 2)`` distances from the start and to the end, in strides, above 0.
        points: The points.
        mask: ``(B, P)`` True where the point's cell is real.
        unit: ``(B,)`` seconds per clip.
        levels: Cells of every level.
        assignment: Which point has to find what, in training.
    """

    logits: Tensor
    offsets: Tensor
    points: Points
    mask: Tensor
    unit: Tensor
    levels: tuple[int, ...]
    assignment: PointAssignment | None = None

    @property
    def spans(self) -> Tensor:
        """``(B, P, 2)`` start and end in clips."""
        return boundaries(self.points, self.offsets)


class BoundaryHead(nn.Module):
    """Two convolutions of width 3 and a positive function, scaled per level.

    Args:
        dim: Channels.
        num_levels: Levels of the pyramid; all share the convolutions.
        activation: ``'exp'``, as in the released code, or ``'relu'``, as in the paper.
        mask_padding: Convolutions read zeros where a cell is not real.
    """

    def __init__(
        self, dim: int, num_levels: int, activation: Literal['exp', 'relu'], mask_padding: bool
    ) -> None:
        super().__init__()
        if activation not in ('exp', 'relu'):
            raise ConfigError(f"boundaries are 'exp' or 'relu', got {activation!r}.")
        self.activation = torch.exp if activation == 'exp' else F.relu
        self.conv1 = MaskedConv1d(dim, dim, 3, mask_padding=mask_padding)
        self.conv2 = MaskedConv1d(dim, 2, 3, mask_padding=mask_padding)
        self.scales = nn.Parameter(torch.ones(num_levels))

    def forward(self, pyramid: FeaturePyramid) -> Tensor:
        """Return the offsets ``(B, P, 2)`` of all cells in strides."""
        offsets = []
        for level, (x, mask) in enumerate(zip(pyramid.features, pyramid.masks)):
            x = self.conv2(F.relu(self.conv1(x, mask)), mask)
            offsets.append(self.activation(in_float32(x)) * self.scales[level])
        return torch.cat(offsets, dim=1)
