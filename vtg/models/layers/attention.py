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
        blocked: ``(L, S)``, ``(B, L, S)`` or ``(B, H, L, S)`` True = the query must not see the
            key.
    """
    allowed = None if key_mask is None else key_mask[:, None, None, :]
    if blocked is not None:
        shapes = {2: (1, 1, *blocked.shape), 3: blocked.unsqueeze(1).shape}
        visible = ~blocked.view(shapes.get(blocked.ndim, blocked.shape))
        allowed = visible if allowed is None else allowed & visible
    return allowed


def tiled_padding_mask(query_mask: Tensor, key_mask: Tensor, num_heads: int) -> Tensor:
    """The (padded query, padded key) mask as QD-DETR's code and its successors lay it out.

    The code repeats the batch once per head, while attention expects the heads of a sample next to
    each other: head h of sample b gets the mask of sample ``(b H + h) mod B``, and real clips lose
    words that are padding elsewhere. In the right order the mask changes nothing for real clips.

    Args:
        query_mask: ``(B, L)`` True = real.
        key_mask: ``(B, S)`` True = real.
        num_heads: H.

    Returns:
        ``(B, H, L, S)`` True = the query must not see the key.
    """
    pairs = ~query_mask[:, :, None] & ~key_mask[:, None, :]
    return pairs.repeat(num_heads, 1, 1).unflatten(0, (len(query_mask), num_heads))


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
            blocked: ``(L, S)``, ``(B, L, S)`` or ``(B, H, L, S)`` True = must not see.
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
