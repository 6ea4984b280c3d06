# SPDX-License-Identifier: Apache-2.0
"""Self-attention within one stream of clips, before fusion."""

from typing import Any, Literal

from torch import nn

from vtg.models.base import Refiner
from vtg.models.layers import (
    Activation,
    LearnedPositions,
    PreNormEncoderLayer,
    init_linears_normal,
)
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import check_choice


@MODELS.register_module()
class StreamEncoder(Refiner):
    """Pre-norm layers over the clips of one stream, with a learned position per clip.

    The uni-modal encoder of UMT (Liu et al., CVPR 2022, section 3.2).

    Args:
        dim: Token width.
        stream: ``'video'``, or ``'audio'``, the second stream on the same clips.
        num_layers: Number of layers.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: On positions, attention weights and branches.
        activation: Of the feed-forward network.
        attention_dropout: On attention weights; None takes ``dropout``.
        max_clips: Rows of the table of positions.
    """

    def __init__(
        self,
        dim: int,
        stream: Literal['video', 'audio'] = 'video',
        num_layers: int = 1,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        activation: Activation = 'relu',
        attention_dropout: float | None = None,
        max_clips: int = 5000,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.stream = check_choice(stream, ('video', 'audio'), 'StreamEncoder: stream')
        self.requires = (stream,)
        self.provides = (stream,)
        self.positions = LearnedPositions(dim, max_clips, dropout)
        self.layers = nn.ModuleList(
            PreNormEncoderLayer(dim, num_heads, hidden_dim, dropout, activation, attention_dropout)
            for _ in range(num_layers)
        )
        init_linears_normal(self)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set the stream ``(B, L, D)``."""
        tokens = getattr(state, self.stream)
        position = self.positions(tokens)
        for layer in self.layers:
            tokens = layer(tokens, state.video_mask, position)
        return {self.stream: tokens}
