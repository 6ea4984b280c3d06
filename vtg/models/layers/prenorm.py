# SPDX-License-Identifier: Apache-2.0
"""Pre-norm transformer layers and learned clip positions (UMT, Liu et al., CVPR 2022)."""

import torch
from torch import Tensor, nn

from vtg.utils import DataError

from .attention import ProjectedAttention
from .blocks import Activation, FeedForward
from .dropout import Dropout, attention_rate


class LearnedPositions(nn.Module):
    """A learned vector per clip number, with dropout on its elements.

    Args:
        dim: Width.
        max_clips: Rows of the table.
        dropout: Independent per sample.
    """

    def __init__(self, dim: int, max_clips: int, dropout: float) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_clips, dim) * dim**-0.5)
        self.dropout = Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Positions ``(B, L, D)`` of ``tokens (B, L, D)``.

        Raises:
            DataError: There are more clips than rows.
        """
        clips = tokens.shape[1]
        if clips > len(self.table):
            raise DataError(
                f'the learned positions of the model end at {len(self.table)} clips, but a video '
                f'has {clips}; cut it with features.max_video_clips, or set max_clips and train.'
            )
        return self.dropout(self.table[:clips].expand_as(tokens))


class ResidualAttention(ProjectedAttention):
    """:class:`ProjectedAttention` with dropout on its output, too; for residual branches."""

    def __init__(
        self, dim: int, num_heads: int, dropout: float, attention_dropout: float | None = None
    ) -> None:
        super().__init__(dim, num_heads, attention_rate(dropout, attention_dropout))
        self.noise = Dropout(dropout)

    def forward(  # type: ignore[override]
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_mask: Tensor | None = None,
        blocked: Tensor | None = None,
    ) -> Tensor:
        """See :class:`ProjectedAttention`."""
        return self.noise(super().forward(query, key, value, key_mask, blocked))


class ResidualFeedForward(nn.Sequential):
    """``LayerNorm - FeedForward - Dropout``, the feed-forward branch of a pre-norm layer."""

    def __init__(
        self, dim: int, hidden_dim: int, dropout: float, activation: Activation = 'relu'
    ) -> None:
        super().__init__(
            nn.LayerNorm(dim), FeedForward(dim, hidden_dim, dropout, activation), Dropout(dropout)
        )


class PreNormEncoderLayer(nn.Module):
    """``x + A(LN(x))``, then ``x + FFN(LN(x))``; positions are added to queries and keys.

    Args:
        dim: Token width.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: On attention weights, on both branches and inside the feed-forward network.
        activation: Of the feed-forward network.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    def __init__(
        self, dim: int, num_heads: int, hidden_dim: int, dropout: float = 0.1,
        activation: Activation = 'relu', attention_dropout: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = ResidualAttention(dim, num_heads, dropout, attention_dropout)
        self.feed_forward = ResidualFeedForward(dim, hidden_dim, dropout, activation)

    def forward(self, x: Tensor, mask: Tensor | None, position: Tensor) -> Tensor:
        """Encode ``x (B, L, D)``; ``mask (B, L)`` True = real key; ``position (B, L, D)``."""
        z = self.norm(x)
        x = x + self.attention(z + position, z + position, z, mask)
        return x + self.feed_forward(x)


class PreNormDecoderLayer(nn.Module):
    """Self-attention of queries, attention to a memory, and a feed-forward network, each behind a
    LayerNorm and with a residual. Arguments as in :class:`PreNormEncoderLayer`."""

    def __init__(
        self, dim: int, num_heads: int, hidden_dim: int, dropout: float = 0.1,
        activation: Activation = 'relu', attention_dropout: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.self_norm, self.cross_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.self_attention = ResidualAttention(dim, num_heads, dropout, attention_dropout)
        self.cross_attention = ResidualAttention(dim, num_heads, dropout, attention_dropout)
        self.feed_forward = ResidualFeedForward(dim, hidden_dim, dropout, activation)

    def forward(
        self,
        x: Tensor,
        position: Tensor,
        memory: Tensor,
        memory_position: Tensor,
        query_mask: Tensor | None,
        memory_mask: Tensor | None,
    ) -> Tensor:
        """Decode.

        Args:
            x: ``(B, Q, D)`` queries; ``position (B, Q, D)`` of them.
            memory: ``(B, S, D)``; ``memory_position (B, S, D)`` is added to keys.
            query_mask, memory_mask: ``(B, Q)``, ``(B, S)`` True = real key; None masks nothing.

        Returns:
            ``(B, Q, D)``.
        """
        z = self.self_norm(x)
        x = x + self.self_attention(z + position, z + position, z, query_mask)
        query = self.cross_norm(x) + position
        x = x + self.cross_attention(query, memory + memory_position, memory, memory_mask)
        return x + self.feed_forward(x)
