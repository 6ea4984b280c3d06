# SPDX-License-Identifier: Apache-2.0
"""Spans as ``(centre, width)`` or ``(start, end)`` and their overlaps, batched over any axes.

Every function works on tensors of shape ``(..., 2)`` in one common unit (seconds, clips or a
fraction of the video) and broadcasts over the leading axes.
"""

import torch
from torch import Tensor


def cxw_to_xx(spans: Tensor) -> Tensor:
    """Turn ``(centre, width)`` into ``(start, end)``; shape ``(..., 2)`` to ``(..., 2)``."""
    centre, width = spans.unbind(-1)
    return torch.stack((centre - 0.5 * width, centre + 0.5 * width), dim=-1)


def xx_to_cxw(spans: Tensor) -> Tensor:
    """Turn ``(start, end)`` into ``(centre, width)``; shape ``(..., 2)`` to ``(..., 2)``."""
    start, end = spans.unbind(-1)
    return torch.stack((0.5 * (start + end), end - start), dim=-1)


def _intersection_and_union(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    left = torch.maximum(a[..., 0], b[..., 0])
    right = torch.minimum(a[..., 1], b[..., 1])
    intersection = (right - left).clamp(min=0)
    union = (a[..., 1] - a[..., 0]) + (b[..., 1] - b[..., 0]) - intersection
    return intersection, union


def iou_aligned(a: Tensor, b: Tensor, eps: float = 0.0) -> Tensor:
    """Intersection over union of spans at equal positions.

    Args:
        a: ``(..., 2)`` start, end.
        b: ``(..., 2)`` start, end, broadcast against ``a``.
        eps: Added to the union; 0 keeps the exact quotient, where 0/0 is NaN.

    Returns:
        ``(...)`` in [0, 1].
    """
    intersection, union = _intersection_and_union(a, b)
    return intersection / (union + eps)


def iou_pairwise(a: Tensor, b: Tensor, eps: float = 0.0) -> Tensor:
    """Intersection over union of all pairs: ``(..., N, 2)``, ``(..., M, 2)`` to ``(..., N, M)``."""
    return iou_aligned(a.unsqueeze(-2), b.unsqueeze(-3), eps)


def generalized_iou_aligned(a: Tensor, b: Tensor, eps: float = 0.0) -> Tensor:
    """Generalised IoU of spans at equal positions: ``IoU - (hull - union) / hull``.

    Args:
        a: ``(..., 2)`` start, end.
        b: ``(..., 2)`` start, end, broadcast against ``a``.
        eps: Added to the union and to the hull; needed where both spans can have zero length.

    Returns:
        ``(...)`` in [-1, 1].
    """
    intersection, union = _intersection_and_union(a, b)
    hull = torch.maximum(a[..., 1], b[..., 1]) - torch.minimum(a[..., 0], b[..., 0])
    return intersection / (union + eps) - (hull - union) / (hull + eps)


def generalized_iou_pairwise(a: Tensor, b: Tensor, eps: float = 0.0) -> Tensor:
    """Generalised IoU of all pairs: ``(..., N, 2)``, ``(..., M, 2)`` to ``(..., N, M)``."""
    return generalized_iou_aligned(a.unsqueeze(-2), b.unsqueeze(-3), eps)
