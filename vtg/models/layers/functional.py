# SPDX-License-Identifier: Apache-2.0
"""Functions that several layers, heads and losses share; float32 inside under autocast."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.structures import in_float32


def inverse_sigmoid(x: Tensor, eps: float = 1e-3) -> Tensor:
    """Return the logit of ``x``, finite everywhere.

    ``x`` is clamped to [0, 1], then both ``x`` and ``1 - x`` are kept at least ``eps`` (Deformable
    DETR), so the result lies within ``±log(1 / eps)``. Any shape.
    """
    x = in_float32(x).clamp(min=0, max=1)
    return torch.log(x.clamp(min=eps) / (1 - x).clamp(min=eps))


def masked_softmax(logits: Tensor, mask: Tensor, dim: int = -1) -> Tensor:
    """Softmax over the entries where ``mask`` is True, 0 elsewhere; float32 under autocast.

    Args:
        logits: Any shape.
        mask: Broadcast against it, True = real.
        dim: Axis that sums to 1.

    Returns:
        Weights of the shape of ``logits``. A row without real entries is finite: all equal.
    """
    logits = in_float32(logits)
    return logits.masked_fill(~mask, torch.finfo(logits.dtype).min).softmax(dim=dim)


def unit(x: Tensor, dim: int = -1, eps: float = 1e-12) -> Tensor:
    """Divide by the Euclidean norm along ``dim``, or by ``eps`` if that is greater.

    Float32 under autocast: the squares overflow float16 and ``eps`` underflows, so that a zero
    vector would become NaN. A zero vector stays zero and gets no gradient, where
    ``F.normalize`` gives it one of ``1 / eps``.
    """
    x = in_float32(x)
    norm = x.norm(dim=dim, keepdim=True)
    return x / norm.clamp_min(eps).masked_fill(norm == 0, torch.inf)


def amplify(memory: Tensor, saliency: Tensor) -> Tensor:
    """``memory (B, L, D) * (1 + sigmoid(saliency (B, L)))`` (SG-DETR, arXiv 2410.01615, eq. 7)."""
    return memory * (1 + saliency.sigmoid().unsqueeze(-1))


def cosine(a: Tensor, b: Tensor, eps: float = 1e-8) -> Tensor:
    """Cosine of the angle between vectors ``(..., D)`` that broadcast; float32 under autocast.

    It is 0 without gradient where a vector is zero, see :func:`unit`.
    """
    a, b = in_float32((a, b))
    similarity = F.cosine_similarity(a, b, dim=-1, eps=eps)
    return similarity.masked_fill(~(a.any(dim=-1) & b.any(dim=-1)), 0)
