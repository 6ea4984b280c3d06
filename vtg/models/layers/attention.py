# SPDX-License-Identifier: Apache-2.0
"""Attention with input projections and without them, the form DETR-like decoders and SGCA share."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import clones, xavier_linear
from .dropout import dropout


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
    return pairs.repeat(num_heads, 1, 1).unflatten(0, (query_mask.shape[0], num_heads))


# Added to the logit of a key that must not be seen: far below every logit, finite in float16.
_HIDDEN = -3e4


def attend(
    query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None = None, p: float = 0.0
) -> Tensor:
    """Scaled dot-product attention; with ``p = 0`` no weights are stored and memory is linear.

    Args:
        query: ``(B, H, L, Dk)``.
        key: ``(B, H, S, Dk)``.
        value: ``(B, H, S, Dv)``.
        allowed: ``(B, 1 or H, 1 or L, S)`` True where attention may look; see
            :func:`attention_mask`.
        p: Probability of dropping a weight.

    Returns:
        ``(B, H, L, Dv)``.
    """
    if p == 0.0 or query.device.type != 'cpu' or torch.compiler.is_compiling():
        return F.scaled_dot_product_attention(query, key, value, attn_mask=allowed, dropout_p=p)
    # PyTorch has no CPU kernel with dropout; its fallback draws masks in the costly way.
    if torch.is_autocast_enabled('cpu'):
        query, key, value = (x.to(torch.get_autocast_dtype('cpu')) for x in (query, key, value))
    batch, heads = query.shape[:2]
    bias = query.new_zeros(())
    if allowed is not None:
        bias = torch.zeros_like(allowed, dtype=query.dtype).masked_fill_(~allowed, _HIDDEN)
        bias = bias.expand(batch, heads, -1, -1).flatten(0, 1)
    query, key, value = (x.flatten(0, 1) for x in (query, key, value))
    logits = torch.baddbmm(bias, query, key.mT, alpha=query.shape[-1] ** -0.5)
    weights = dropout(logits.softmax(dim=-1).to(query.dtype), p)
    return torch.bmm(weights, value).unflatten(0, (batch, heads))


class ProjectedAttention(nn.MultiheadAttention):
    """Multi-head attention with input projections, on batches, without returning its weights.

    Parameters and their initialisation are those of ``torch.nn.MultiheadAttention``.

    Args:
        dim: Width of queries, keys, values and output.
        num_heads: Number of heads; divides the width.
        dropout: Probability of dropping an attention weight.
    """

    def __init__(self, dim: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__(dim, num_heads, dropout, batch_first=True)

    def forward(  # type: ignore[override]
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_mask: Tensor | None = None,
        blocked: Tensor | None = None,
    ) -> Tensor:
        """Attend.

        Args:
            query: ``(B, L, D)``.
            key: ``(B, S, D)``.
            value: ``(B, S, D)``.
            key_mask: ``(B, S)`` True = real.
            blocked: ``(L, S)``, ``(B, L, S)`` or ``(B, H, L, S)`` True = must not see.

        Returns:
            ``(B, L, D)``.
        """
        query, key, value = (
            split_heads(x, self.num_heads) for x in self._projected(query, key, value)
        )
        out = attend(
            query,
            key,
            value,
            attention_mask(key_mask, blocked),
            self.dropout if self.training else 0.0,
        )
        return self.out_proj(merge_heads(out))

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, ...]:
        """Queries, keys and values; what shares its input is one matrix product."""
        weight, bias = self.in_proj_weight, self.in_proj_bias
        if query is key is value:
            return F.linear(query, weight, bias).chunk(3, dim=-1)
        dim = self.embed_dim
        if query is key:
            both = F.linear(query, weight[: 2 * dim], bias[: 2 * dim]).chunk(2, dim=-1)
            return *both, F.linear(value, weight[2 * dim :], bias[2 * dim :])
        if key is value:
            both = F.linear(key, weight[dim:], bias[dim:]).chunk(2, dim=-1)
            return F.linear(query, weight[:dim], bias[:dim]), *both
        inputs = zip((query, key, value), weight.chunk(3), bias.chunk(3))
        return tuple(F.linear(*each) for each in inputs)


class RawAttention(nn.Module):
    """Multi-head attention on given queries, keys and values, with an output projection only.

    The heads are channel slices of the inputs themselves, which callers may have projected. Queries
    and keys may be wider than the values.

    Args:
        dim: Width of the values and of the output.
        num_heads: Number of heads; divides every width.
        dropout: Probability of dropping an attention weight.
        project: Project queries, keys and values of width ``dim`` here, as papers write it whose
            released code has no such layers.
    """

    def __init__(
        self, dim: int, num_heads: int = 8, dropout: float = 0.1, project: bool = False
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.out_proj = xavier_linear(nn.Linear(dim, dim), bias=None)
        self.projections = clones(nn.Linear(dim, dim), 3) if project else None

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
        query, key, value = self.heads(query, key, value)
        out = attend(
            query,
            key,
            value,
            attention_mask(key_mask, blocked),
            self.dropout if self.training else 0.0,
        )
        out = merge_heads(out)
        if gate is not None:
            # One factor for all weights of a row is the same factor on the row's output.
            out = out * gate.unsqueeze(-1)
        return self.out_proj(out)

    def heads(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Queries, keys and values, ``(B, ., D)`` each, by heads: ``(B, H, ., D / H)``."""
        if self.projections is not None:
            inputs = tuple(layer(x) for layer, x in zip(self.projections, inputs))
        return tuple(split_heads(x, self.num_heads) for x in inputs)
