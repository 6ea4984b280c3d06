# SPDX-License-Identifier: Apache-2.0
"""Fusion of two streams of clips through a few tokens."""

from typing import Any

import torch
from torch import Tensor, nn

from vtg.models.base import Fusion
from vtg.models.layers import (
    Activation,
    LearnedPositions,
    ResidualAttention,
    ResidualFeedForward,
    init_linears_normal,
)
from vtg.registry import MODELS
from vtg.structures import GroundingState


class BottleneckLayer(nn.Module):
    """Tokens collect from both streams, then each stream takes from the tokens."""

    def __init__(
        self, dim: int, num_heads: int, hidden_dim: int, dropout: float, activation: Activation
    ) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.token_norm, self.bottleneck_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.collect, self.expand = (
            nn.ModuleList(ResidualAttention(dim, num_heads, dropout) for _ in range(2))
            for _ in range(2)
        )
        self.feed_forward = nn.ModuleList(
            ResidualFeedForward(dim, hidden_dim, dropout, activation) for _ in range(2)
        )

    def forward(
        self, streams: list[Tensor], tokens: Tensor, mask: Tensor, position: Tensor
    ) -> tuple[list[Tensor], Tensor]:
        """Exchange.

        Args:
            streams: Both, ``(B, L, D)``.
            tokens: ``(B, K, D)``.
            mask: ``(B, L)`` True = real.
            position: ``(B, L, D)``.
        """
        normed = [norm(x) for norm, x in zip(self.norms, streams)]
        placed = [x + position for x in normed]
        query = self.token_norm(tokens)
        # Both look with the same tokens.
        for attention, key, value in zip(self.collect, placed, normed):
            tokens = tokens + attention(query, key, value, mask)
        source = self.bottleneck_norm(tokens)
        streams = [
            x + attention(z, source, source)
            for x, z, attention in zip(streams, placed, self.expand)
        ]
        return [x + network(x) for x, network in zip(streams, self.feed_forward)], tokens


@MODELS.register_module()
class BottleneckFusion(Fusion):
    """Joins video and audio clip by clip; what they know of each other passes a few tokens.

    The cross-modal encoder of UMT (Liu et al., CVPR 2022, section 3.3). It takes nothing from the
    text: an encoder that does has to follow.

    Args:
        dim: Token width.
        num_layers: Number of layers.
        num_tokens: Tokens of the bottleneck.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: On positions, attention weights and branches.
        activation: Of the feed-forward network.
        max_clips: Rows of the table of positions.
    """

    requires = ('video', 'audio')
    text_free = ('fused',)

    def __init__(
        self,
        dim: int,
        num_layers: int = 1,
        num_tokens: int = 4,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        activation: Activation = 'relu',
        max_clips: int = 5000,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.positions = LearnedPositions(dim, max_clips, dropout)
        self.tokens = nn.Parameter(torch.randn(num_tokens, dim) * dim**-0.5)
        self.layers = nn.ModuleList(
            BottleneckLayer(dim, num_heads, hidden_dim, dropout, activation)
            for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(dim)
        init_linears_normal(self)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.Fusion`."""
        streams = [state.video, state.audio]
        position = self.positions(state.video)
        tokens = self.tokens.expand(state.video.shape[0], -1, -1)
        for layer in self.layers:
            streams, tokens = layer(streams, tokens, state.video_mask, position)
        return {'fused': self.norm(streams[0] + streams[1])}
