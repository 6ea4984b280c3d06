# SPDX-License-Identifier: Apache-2.0
"""Self-attention over the fused sequence."""

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from vtg.models.base import Encoder
from vtg.models.extras import Context
from vtg.models.layers import Activation, EncoderStack, Init, init_transformer
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class TransformerEncoder(Encoder):
    """Post-norm transformer encoder over ``[context token; video; text]``.

    The text takes part where the fusion hands it on.

    Args:
        dim: Token width.
        num_layers: Number of layers; without ``init`` they start with identical weights.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: Inside the feed-forward network.
        drop_path: Stochastic depth per sample on the residual branches.
        residual_dropout: Dropout of single elements on the residual branches.
        activation: Of the feed-forward network.
        context_token: A token in front of the clips that sums the video up: ``'learned'``, a
            parameter (QD-DETR, Moon et al., 2023, section 3.3); ``'given'``, the context that the
            fusion makes; None for no token. It has a learned position.
        add_context: Add the encoded token to every clip of the memory (CG-DETR, Moon et al., 2023,
            released code).
        init: Initialise as DETR's code does, see :func:`vtg.models.layers.init_transformer`.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    reads = ('fused_text', 'text_mask', 'text_pos')
    can_provide: ClassVar[dict[str, str]] = {'context': "context_token='learned'"}
    can_do_without: ClassVar[dict[str, str]] = {'context': "context_token='learned'"}

    def __init__(
        self,
        dim: int,
        num_layers: int = 3,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.15,
        residual_dropout: float = 0.0,
        activation: Activation = 'prelu',
        context_token: Literal['learned', 'given'] | None = None,
        add_context: bool = False,
        init: Init = None,
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.context_token = context_token
        self.add_context = add_context
        self.layers = EncoderStack(
            num_layers,
            dim,
            num_heads,
            hidden_dim,
            dropout=dropout,
            drop_path=drop_path,
            residual_dropout=residual_dropout,
            activation=activation,
            attention_dropout=attention_dropout,
        )
        init_transformer(self.layers, init)
        if context_token is not None:
            self.provides = (*self.provides, 'context')
            self.context_position = nn.Parameter(torch.randn(dim))
        if context_token == 'learned':
            self.context = nn.Parameter(torch.randn(dim))
        elif context_token == 'given':
            self.requires = (*self.requires, 'context')

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.Encoder`."""
        parts: list[tuple[Tensor, Tensor, Tensor]] = []
        if self.context_token is not None:
            batch = state.fused.shape[0]
            learned = self.context_token == 'learned'
            token = self.context if learned else state.extras[Context].token
            token = token.expand(batch, -1).unsqueeze(1)
            always = state.video_mask.new_ones(batch, 1)
            parts.append((token, always, self.context_position.expand_as(token)))
        parts.append((state.fused, state.video_mask, state.video_pos))
        if state.fused_text is not None:
            parts.append((state.fused_text, state.text_mask, state.text_pos))
        tokens, mask, position = (torch.cat(column, dim=1) for column in zip(*parts))
        encoded = self.layers(tokens, mask, position).split([part[0].shape[1] for part in parts], 1)

        outputs = list(encoded)
        values: dict[str, Any] = {}
        context = None if self.context_token is None else outputs.pop(0)
        values['memory'] = outputs.pop(0)
        if context is not None:
            values['context'] = Context(context.squeeze(1))
            if self.add_context:
                values['memory'] = values['memory'] + context
        if outputs:
            values['memory_text'] = outputs.pop(0)
        return values
