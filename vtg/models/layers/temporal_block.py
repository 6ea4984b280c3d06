# SPDX-License-Identifier: Apache-2.0
"""A post-norm layer in which clips look at words, then at each other."""

from torch import Tensor, nn

from .attention import ProjectedAttention
from .blocks import FeedForward
from .dropout import DropPath


class TemporalBlock(nn.Module):
    """Clips look at words, then at each other, then pass a feed-forward network; every branch ends
    in a residual and a LayerNorm (R2-Tuning, Liu et al., ECCV 2024, section 3.2).

    Args:
        dim, num_heads, hidden_dim: See :class:`vtg.models.layers.EncoderLayer`.
        dropout: On attention weights and inside of the feed-forward network.
        drop_path: Stochastic depth per sample on all branches.
    """

    def __init__(
        self, dim: int, num_heads: int, hidden_dim: int, dropout: float, drop_path: float
    ) -> None:
        super().__init__()
        self.cross_attention = ProjectedAttention(dim, num_heads, dropout)
        self.self_attention = ProjectedAttention(dim, num_heads, dropout)
        self.feed_forward = FeedForward(dim, hidden_dim, dropout, 'relu')
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3))
        self.noise = DropPath(drop_path)
        for attention in (self.cross_attention, self.self_attention):
            for weight in (*attention.in_proj_weight.chunk(3), attention.out_proj.weight):
                nn.init.xavier_uniform_(weight)
        for layer in self.feed_forward:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, mode='fan_out', nonlinearity='relu')
                nn.init.zeros_(layer.bias)

    def forward(
        self, x: Tensor, mask: Tensor, position: Tensor, words: Tensor, word_mask: Tensor
    ) -> Tensor:
        """Clips ``x (B, L, D)`` with ``position (B, L, D)`` and words ``(B, N, D)``, both with
        masks, to ``(B, L, D)``."""
        cross, own, last = self.norms
        x = cross(x + self.noise(self.cross_attention(x + position, words, words, word_mask)))
        placed = x + position
        x = own(x + self.noise(self.self_attention(placed, placed, x, mask)))
        return last(x + self.noise(self.feed_forward(x)))
