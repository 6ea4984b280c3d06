# SPDX-License-Identifier: Apache-2.0
"""Post-norm transformer encoder layers."""

from torch import Tensor, nn

from .blocks import DropPath, FeedForward, clones


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each followed by a residual and a LayerNorm.

    Args:
        dim: Token width.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: On attention weights and inside the feed-forward network.
        drop_path: Stochastic depth per sample on both branches.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        hidden_dim: int,
        dropout: float = 0.1,
        drop_path: float = 0.1,
    ) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(dim, num_heads, dropout, batch_first=True)
        nn.init.xavier_uniform_(self.attention.out_proj.weight)
        self.feed_forward = FeedForward(dim, hidden_dim, dropout)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, mask: Tensor, position: Tensor | None = None) -> Tensor:
        """Encode ``x (B, L, D)``; ``mask (B, L)`` True = real; ``position (B, L, D)`` is added to
        queries and keys."""
        query = x if position is None else x + position
        attended, _ = self.attention(query, query, x, key_padding_mask=~mask, need_weights=False)
        x = self.norm1(x + self.drop_path(attended))
        return self.norm2(x + self.drop_path(self.feed_forward(x)))


class EncoderStack(nn.Module):
    """``num_layers`` encoder layers that start with identical weights, without a final norm."""

    def __init__(
        self, num_layers: int, dim: int, num_heads: int, hidden_dim: int, **kwargs: float
    ) -> None:
        super().__init__()
        self.layers = clones(EncoderLayer(dim, num_heads, hidden_dim, **kwargs), num_layers)

    def forward(self, x: Tensor, mask: Tensor, position: Tensor | None = None) -> Tensor:
        """See :class:`EncoderLayer`."""
        for layer in self.layers:
            x = layer(x, mask, position)
        return x
