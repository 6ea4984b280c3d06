# SPDX-License-Identifier: Apache-2.0
"""Points of a temporal pyramid and the moments that they have to find."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vtg.registry import TASK_UTILS


@dataclass(frozen=True)
class Points:
    """P points, the levels one after the other; everything in clips.

    Attributes:
        position: ``(P,)`` start of the point's cell.
        low, high: ``(P,)`` moments whose further end is that far away belong to the level.
        stride: ``(P,)`` width of the cell.
    """

    position: Tensor
    low: Tensor
    high: Tensor
    stride: Tensor


@dataclass(frozen=True)
class PointAssignment:
    """The target of every point. B samples, P points.

    Attributes:
        positive: ``(B, P)`` True where the point has to find a moment.
        offsets: ``(B, P, 2)`` distances from the start and to the end of that moment in strides, 0
            elsewhere.
    """

    positive: Tensor
    offsets: Tensor


@TASK_UTILS.register_module()
class PointGenerator1D:
    """One point per cell, at its left edge (FlashVTG, Cao et al., 2025; R2-Tuning, Liu et al.,
    2024).

    The finest level is for moments that reach at most one stride of the next level from the point,
    level k for ``stride_k`` to ``stride_k+1``, the coarsest for all that reach further.

    Args:
        strides: Clips per cell, per level; None takes those of the pyramid.
    """

    def __init__(self, strides: Sequence[float] | None = None) -> None:
        self.strides = None if strides is None else tuple(strides)

    def __call__(
        self,
        lengths: Sequence[int],
        strides: Sequence[float] | None = None,
        device: torch.device | str | None = None,
    ) -> Points:
        """Return the points of levels with ``lengths`` cells and, by default, ``strides``."""
        strides = self.strides or tuple(strides or ())
        low = (0.0, *strides[1:])
        high = (*strides[1:], float('inf'))
        columns = []
        for length, stride, *limits in zip(lengths, strides, low, high, strict=True):
            position = torch.arange(length, dtype=torch.float32, device=device) * stride
            row = [torch.full_like(position, value) for value in (*limits, stride)]
            columns.append((position, *row))
        return Points(*(torch.cat(column) for column in zip(*columns)))


@TASK_UTILS.register_module()
class PointAssigner:
    """Points near the centre of a moment find it, on the level that fits its length.

    A point is positive for a moment if it lies in it and within ``radius`` strides of its centre,
    and if the further end lies within the range of its level; of several moments it takes the
    shortest, the first on ties (R2-Tuning and FlashVTG, as in the released code). All bounds are
    inclusive: a point at the very end of a moment may be positive, and one whose distance is a
    bound may be so on two levels.

    Args:
        radius: In strides.
        slack: Bounds are this much wider, in clips: moments arrive as fractions of the video, and
            their ends come back with rounding errors.
    """

    def __init__(self, radius: float = 1.5, slack: float = 1e-3) -> None:
        self.radius = radius
        self.slack = slack

    def __call__(self, points: Points, gts: Tensor, gt_mask: Tensor) -> PointAssignment:
        """Assign a batch.

        Args:
            points: P points.
            gts: ``(B, G, 2)`` start and end of the moments in clips.
            gt_mask: ``(B, G)`` True where a moment is real.
        """
        position, stride = points.position, points.stride
        if gts.shape[1] == 0:
            offsets = gts.new_zeros(len(gts), len(position), 2)
            return PointAssignment(offsets[..., 0].bool(), offsets)
        start, end = (bound.unsqueeze(1) for bound in gts.unbind(-1))  # (B, 1, G)
        left, right = position[:, None] - start, end - position[:, None]  # (B, P, G)
        reach = self.radius * stride[:, None] + self.slack
        near = (0.5 * (left - right)).abs() <= reach
        inside = torch.minimum(left, right) >= -self.slack
        further = torch.maximum(left, right)
        fits = further >= points.low[:, None] - self.slack
        fits = fits & (further <= points.high[:, None] + self.slack)
        candidate = near & inside & fits & gt_mask.unsqueeze(1)

        length = (end - start).expand_as(left).masked_fill(~candidate, torch.inf)
        shortest = length <= length.amin(dim=-1, keepdim=True) + self.slack
        index = shortest.to(torch.uint8).argmax(dim=-1, keepdim=True)
        positive = candidate.any(dim=-1)
        offsets = torch.stack((left, right), dim=-1) / stride[:, None, None]
        chosen = offsets.gather(2, index.unsqueeze(-1).expand(-1, -1, -1, 2)).squeeze(2)
        return PointAssignment(positive, chosen * positive.unsqueeze(-1))
