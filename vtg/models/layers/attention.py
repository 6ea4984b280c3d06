# SPDX-License-Identifier: Apache-2.0
"""Attention without input projections, the form DETR-like decoders and SGCA share."""

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import xavier_linear


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """``(B, L, D)`` to ``(B, H, L, D / H)``."""
    return x.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """``(B, H, L, D / H)`` to ``(B, L, D)``."""
    return x.transpose(1, 2).flatten(-2)


def attention_mask(key_mask: Tensor | None, blocked: Tensor | None) -> Tensor | None:
    """Combine masks into one of shape ``(B, 1, L or 1, S)`` that is True where attention may look.

    Args:
        key_mask: ``(B, S)`` True = real key.
        blocked: ``(L, S)`` or ``(B, L, S)`` True = the query must not see the key.
    """
    allowed = None if key_mask is None else key_mask[:, None, None, :]
    if blocked is not None:
        visible = ~blocked[None, None] if blocked.ndim == 2 else ~blocked[:, None]
        allowed = visible if allowed is None else allowed & visible
    return allowed


class RawAttention(nn.Module):
    """Multi-head attention on given queries, keys and values, with an output projection only.

    The heads are channel slices of the inputs themselves; callers that want projections apply
    their own. Queries and keys may be wider than the values.

    Args:
        dim: Width of the values and of the output.
        num_heads: Number of heads; divides every width.
        dropout: Probability of dropping an attention weight.
    """

    def __init__(self, dim: int, num_heads: int = 8, dropout: float = 0.1) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.out_proj = xavier_linear(nn.Linear(dim, dim), bias=None)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_mask: Tensor | None = None,
        blocked: Tensor | None = None,
        gate: Tensor | None = None,
    ) -> Tensor:
        """Attend.

        Args:
            query: ``(B, L, Dk)``.
            key: ``(B, S, Dk)``.
            value: ``(B, S, D)``.
            key_mask: ``(B, S)`` True = real.
            blocked: ``(L, S)`` or ``(B, L, S)`` True = must not see.
            gate: ``(B, L)`` factor on all attention weights of a query, after the softmax.

        Returns:
            ``(B, L, D)``.
        """
        out = F.scaled_dot_product_attention(
            split_heads(query, self.num_heads),
            split_heads(key, self.num_heads),
            split_heads(value, self.num_heads),
            attn_mask=attention_mask(key_mask, blocked),
            dropout_p=self.dropout if self.training else 0.0,
        )
        out = merge_heads(out)
        if gate is not None:
            # One factor for all weights of a row is the same factor on the row's output.
            out = out * gate.unsqueeze(-1)
        return self.out_proj(out)
