# SPDX-License-Identifier: Apache-2.0
"""Transformer layers: self-attention, and cross-attention of one sequence to another."""

from typing import Any

from torch import Tensor, nn

from .attention import ProjectedAttention
from .blocks import Activation, FeedForward, clones
from .dropout import attention_rate, residual_noise


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each followed by a residual and a LayerNorm.

    Args:
        dim: Token width.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: Inside the feed-forward network.
        drop_path: Stochastic depth per sample on both branches.
        residual_dropout: Dropout of single elements on both branches.
        activation: Of the feed-forward network, see :class:`FeedForward`.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        hidden_dim: int,
        dropout: float = 0.1,
        drop_path: float = 0.1,
        residual_dropout: float = 0.0,
        activation: Activation = 'prelu',
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.attention = ProjectedAttention(
            dim, num_heads, attention_rate(dropout, attention_dropout)
        )
        nn.init.xavier_uniform_(self.attention.out_proj.weight)
        self.feed_forward = FeedForward(dim, hidden_dim, dropout, activation)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.noise = residual_noise(drop_path, residual_dropout)

    def forward(self, x: Tensor, mask: Tensor, position: Tensor | None = None) -> Tensor:
        """Encode ``x (B, L, D)``; ``mask (B, L)`` True = real; ``position (B, L, D)`` is added to
        queries and keys."""
        query = x if position is None else x + position
        attended = self.attention(query, query, x, mask)
        x = self.norm1(x + self.noise(attended))
        return self.norm2(x + self.noise(self.feed_forward(x)))


class EncoderStack(nn.Module):
    """``num_layers`` encoder layers that start with identical weights, without a final norm."""

    def __init__(
        self, num_layers: int, dim: int, num_heads: int, hidden_dim: int, **kwargs: Any
    ) -> None:
        super().__init__()
        self.layers = clones(EncoderLayer(dim, num_heads, hidden_dim, **kwargs), num_layers)

    def forward(self, x: Tensor, mask: Tensor, position: Tensor | None = None) -> Tensor:
        """See :class:`EncoderLayer`."""
        for layer in self.layers:
            x = layer(x, mask, position)
        return x


class CrossAttentionLayer(nn.Module):
    """One sequence takes from another: attention with projections, then a feed-forward network.

    ``a = x + A(x + p_x, y + p_y, y)``, ``out = LN2(a + FFN(LN1(a)))``: the residual of the
    feed-forward network is not normalised (QD-DETR, Moon et al., 2023, as in the released code).
    Arguments as in :class:`EncoderLayer`.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        hidden_dim: int,
        dropout: float = 0.1,
        drop_path: float = 0.0,
        residual_dropout: float = 0.1,
        activation: Activation = 'prelu',
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.attention = ProjectedAttention(
            dim, num_heads, attention_rate(dropout, attention_dropout)
        )
        nn.init.xavier_uniform_(self.attention.out_proj.weight)
        self.feed_forward = FeedForward(dim, hidden_dim, dropout, activation)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.noise = residual_noise(drop_path, residual_dropout)

    def forward(
        self,
        x: Tensor,
        position: Tensor,
        source: Tensor,
        source_position: Tensor,
        source_mask: Tensor,
        blocked: Tensor | None = None,
    ) -> Tensor:
        """Attend.

        Args:
            x: ``(B, L, D)`` the sequence that changes; ``position (B, L, D)`` of it.
            source: ``(B, S, D)`` the sequence it looks at; ``source_position (B, S, D)``.
            source_mask: ``(B, S)`` True = real.
            blocked: ``(B, H, L, S)`` True = must not see, or None.

        Returns:
            ``(B, L, D)``.
        """
        attended = self.attention(
            x + position, source + source_position, source, source_mask, blocked
        )
        x = x + self.noise(attended)
        return self.norm2(x + self.noise(self.feed_forward(self.norm1(x))))
