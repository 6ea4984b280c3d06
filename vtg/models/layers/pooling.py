# SPDX-License-Identifier: Apache-2.0
"""Pooling of a sequence into one vector, and of channels into one score."""

import torch
from torch import Tensor, nn

from vtg.structures import in_float32

from .blocks import masked_fill_zero
from .functional import masked_softmax


def masked_average(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real tokens: ``(B, N, D)`` and ``(B, N)`` True = real to ``(B, D)``."""
    return masked_fill_zero(in_float32(x), mask).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(
        min=1
    )


class WeightedPooling(nn.Module):
    """Weighted mean of the tokens, the weights a softmax of one learned projection.

    The pooling of words into a sentence that UniVTG, TR-DETR and VideoLights take from VSLNet
    (Zhang et al., 2020, section 3.2).

    Args:
        dim: Token width.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(dim, 1)))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``(B, N, D)`` and ``(B, N)`` True = real to ``(B, D)``."""
        logits = (x @ self.weight).squeeze(-1)
        return torch.einsum('bn,bnd->bd', masked_softmax(logits, mask), x)


class SummedLinear(nn.Module):
    """``sum_c (W x + b)_c / sqrt(D)``: one score from a square linear layer.

    The same functions as a single linear unit can be learned, but every step of the optimiser moves
    the score further. TR-DETR and VideoLights score clips this way.

    Args:
        dim: Token width D.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """``(..., D)`` to ``(..., 1)``."""
        return in_float32(self.proj(x)).sum(dim=-1, keepdim=True) * x.shape[-1] ** -0.5
