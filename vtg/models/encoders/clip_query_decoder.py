# SPDX-License-Identifier: Apache-2.0
"""A decoder with one query per clip, made of the words."""

from typing import Any, ClassVar, Literal

from torch import nn

from vtg.models.base import Encoder
from vtg.models.layers import (
    Activation,
    LearnedPositions,
    PreNormDecoderLayer,
    ResidualAttention,
    init_linears_normal,
)
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import check_choice


@MODELS.register_module()
class ClipQueryDecoder(Encoder):
    """Every clip makes a query of the words, and the queries look at all clips.

    Query generator and query decoder of UMT (Liu et al., CVPR 2022, sections 3.4 and 3.5). The
    generator has no residual: a query is a mixture of words that its clip selects.

    Args:
        dim: Token width.
        num_layers: Layers of the decoder.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: On positions, attention weights and branches.
        activation: Of the feed-forward network.
        attention_dropout: On attention weights; None takes ``dropout``.
        max_clips: Rows of both tables of positions.
        queries: Made of the ``'text'``; or the ``'clips'`` themselves, for data without sentences.
        mask_padding: False lets queries see padded clips, as the released code does.
    """

    requires: tuple[str, ...] = ('fused', 'text', 'text_mask')
    can_do_without: ClassVar[dict[str, str]] = {'text': "queries='clips'"}

    def __init__(
        self,
        dim: int,
        num_layers: int = 3,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        activation: Activation = 'relu',
        attention_dropout: float | None = None,
        max_clips: int = 5000,
        queries: Literal['text', 'clips'] = 'text',
        mask_padding: bool = True,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.mask_padding = mask_padding
        self.generator: ResidualAttention | None = None
        if check_choice(queries, ('text', 'clips'), 'ClipQueryDecoder: queries') == 'text':
            self.generator = ResidualAttention(dim, num_heads, dropout, attention_dropout)
        else:
            self.requires = ('fused',)
        self.query_positions, self.key_positions = (
            LearnedPositions(dim, max_clips, dropout) for _ in range(2)
        )
        self.layers = nn.ModuleList(
            PreNormDecoderLayer(dim, num_heads, hidden_dim, dropout, activation, attention_dropout)
            for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(dim)
        init_linears_normal(self)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.Encoder`."""
        clips = queries = state.fused
        if self.generator is not None:
            queries = self.generator(clips, state.text, state.text, state.text_mask)
        mask = state.video_mask if self.mask_padding else None
        positions = self.query_positions(clips), self.key_positions(clips)
        for layer in self.layers:
            queries = layer(queries, positions[0], clips, positions[1], mask, mask)
        return {'memory': self.norm(queries)}
