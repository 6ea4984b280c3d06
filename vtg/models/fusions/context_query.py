# SPDX-License-Identifier: Apache-2.0
"""Fusion by attention between clips and words in both directions, and by a temporal block."""

from typing import Any

from torch import nn

from vtg.models.base import Fusion
from vtg.models.layers import ContextQueryAttention, TemporalBlock
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class ContextQueryFusion(ContextQueryAttention, Fusion):
    """Every clip takes in the words and the clips that its words point to; there is no residual.

    Context-query attention (VSLNet, Zhang et al., 2020) as CausalVTG (NeurIPS 2025) has it.

    Args:
        dim: Token width.
        dropout: On clips and words where they are compared.
    """

    requires = ('video', 'text', 'video_mask', 'text_mask')

    def __init__(self, dim: int, dropout: float = 0.5) -> None:
        super().__init__(dim, dropout)
        self.dim = dim

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``fused (B, L, D)``; padded clips hold anything."""
        return {'fused': self.attend(state.video, state.text, state.video_mask, state.text_mask)}


@MODELS.register_module()
class TemporalFusion(Fusion):
    """Clips look at words, then at each other: one or several
    :class:`vtg.models.layers.TemporalBlock`, over the same words (R2-Tuning, Liu et al., ECCV
    2024, and CausalVTG, NeurIPS 2025).

    Args:
        dim: Token width.
        num_layers: Number of blocks.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward networks.
        dropout: On attention weights and inside of the feed-forward networks.
        drop_path: Stochastic depth per sample on all branches.
    """

    requires = ('video', 'text', 'video_mask', 'text_mask', 'video_pos')

    def __init__(
        self,
        dim: int,
        num_layers: int = 1,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.0,
        drop_path: float = 0.1,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.blocks = nn.ModuleList(
            TemporalBlock(dim, num_heads, hidden_dim, dropout, drop_path) for _ in range(num_layers)
        )

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``fused (B, L, D)``; padded clips hold anything."""
        video = state.video
        for block in self.blocks:
            video = block(video, state.video_mask, state.video_pos, state.text, state.text_mask)
        return {'fused': video}
