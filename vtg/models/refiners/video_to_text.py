# SPDX-License-Identifier: Apache-2.0
"""Cross-attention from the words to the clips."""

from typing import Any, Literal

from vtg.models.base import Refiner
from vtg.models.extras import GuidedText
from vtg.models.layers import (
    Activation,
    CrossAttentionLayer,
    Init,
    clones,
    init_transformer,
    tiled_padding_mask,
)
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class VideoToTextAttention(Refiner):
    """Every word takes in the clips that concern it, in a few layers over the same clips.

    The counterpart of ``TextToVideoAttention`` (UVCOM, Xiao et al., CVPR 2024, section 3.2). The
    words of the state stay; those that know the video are the extra ``guided_text``.

    Args:
        dim: Token width.
        num_layers: Number of layers; without ``init`` they start with identical weights.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: Inside the feed-forward network.
        drop_path: Stochastic depth per sample on the residual branches.
        residual_dropout: Dropout of single elements on the residual branches.
        activation: Of the feed-forward network.
        mask_layout: ``'correct'``, or ``'tiled'``: block clips by the padding of other samples, as
            the released code does, see :func:`vtg.models.layers.tiled_padding_mask`.
        init: Initialise as DETR's code does, see :func:`vtg.models.layers.init_transformer`.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    requires = (*Refiner.requires, 'video_pos', 'text_pos')
    provides = ('guided_text',)

    def __init__(
        self,
        dim: int,
        num_layers: int = 2,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.0,
        residual_dropout: float = 0.1,
        activation: Activation = 'prelu',
        mask_layout: Literal['correct', 'tiled'] = 'correct',
        init: Init = 'xavier',
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.num_heads = num_heads
        self.mask_layout = mask_layout
        self.joint = mask_layout == 'correct'
        layer = CrossAttentionLayer(
            dim, num_heads, hidden_dim, dropout, drop_path, residual_dropout, activation,
            attention_dropout,
        )  # fmt: skip
        self.layers = clones(layer, num_layers)
        init_transformer(self, init)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``guided_text``, see :class:`vtg.models.extras.GuidedText`."""
        blocked = None
        if self.mask_layout == 'tiled':
            blocked = tiled_padding_mask(state.text_mask, state.video_mask, self.num_heads)
        text = state.text
        for layer in self.layers:
            text = layer(
                text, state.text_pos, state.video, state.video_pos, state.video_mask, blocked
            )
        return {'guided_text': GuidedText(text)}
