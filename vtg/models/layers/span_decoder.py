# SPDX-License-Identifier: Apache-2.0
"""A decoder whose queries are spans (Liu et al., "DAB-DETR", 2022, along time)."""

from dataclasses import dataclass
from typing import Literal, TypedDict

import torch
from torch import Tensor, nn

from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import GroundingState
from vtg.utils import check_choice

from .attention import RawAttention, merge_heads, split_heads
from .blocks import MLP, Activation, FeedForward, clones, xavier_linear
from .dropout import attention_rate, residual_noise
from .gated_fusion import GatedTextFusion
from .init import Init, init_transformer
from .positions import sine_span_embedding


@dataclass(frozen=True)
class DecoderOutputs:
    """What every decoder layer gives; S layers, B samples, Q queries.

    Attributes:
        hidden: ``(S, B, Q, D)`` states before the output norm.
        normed: ``(S, B, Q, D)`` states after it.
        references: ``(S, B, Q, R)`` the references that the predictions correct: those that entered
            each layer, with gradient to the layer before, or those that left it; None from a
            decoder whose queries have none.
        refined: ``(S, B, Q, R)`` the references that left each layer, or None.
    """

    hidden: Tensor
    normed: Tensor
    references: Tensor | None = None
    refined: Tensor | None = None


class Positions(TypedDict, total=False):
    """How queries read the place of their spans, and correct it."""

    scale_first_layer: bool
    chained_key_position: bool
    add_first_position: bool
    min_width: float
    wide_code: bool
    detach_first: bool
    predict_from: Literal['entering', 'leaving']
    shared_head: bool


# As in SG-DETR's code, but for the least width.
POSITIONS: Positions = {
    'scale_first_layer': True,
    'chained_key_position': True,
    'add_first_position': False,
    'min_width': 1e-3,
    'wide_code': False,
    'detach_first': False,
    'predict_from': 'entering',
    'shared_head': False,
}


class SpanDecoderLayer(nn.Module):
    """Self-attention among queries, cross-attention to the memory, feed-forward network.

    In cross-attention content and position are concatenated per head, so that their products add
    and do not mix. For the arguments see :class:`SpanDecoder`.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        hidden_dim: int,
        dropout: float,
        drop_path: float,
        residual_dropout: float,
        activation: Activation,
        chained_key_position: bool,
        add_position: bool,
        attention_dropout: float | None,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.chained_key_position = chained_key_position

        rate = attention_rate(dropout, attention_dropout)

        def linear() -> nn.Linear:
            return xavier_linear(nn.Linear(dim, dim), bias=None)

        self.self_query_content, self.self_query_position = linear(), linear()
        self.self_key_content, self.self_key_position = linear(), linear()
        self.self_value = linear()
        self.self_attention = RawAttention(dim, num_heads, rate)
        self.norm1 = nn.LayerNorm(dim)

        self.cross_query_content, self.cross_query_sine = linear(), linear()
        self.cross_key_content, self.cross_key_position = linear(), linear()
        self.cross_value = linear()
        self.cross_query_position = linear() if add_position else None
        self.cross_attention = RawAttention(dim, num_heads, rate)
        self.norm2 = nn.LayerNorm(dim)

        self.feed_forward = FeedForward(dim, hidden_dim, dropout, activation)
        self.norm3 = nn.LayerNorm(dim)
        self.noise = residual_noise(drop_path, residual_dropout)
        self.gate: GatedTextFusion | None = None

    def _pair_heads(self, content: Tensor, position: Tensor) -> Tensor:
        """Concatenate content and position within every head: twice ``(B, L, D)`` to ``2 D``."""
        heads = (split_heads(content, self.num_heads), split_heads(position, self.num_heads))
        return merge_heads(torch.cat(heads, dim=-1))

    def forward(
        self,
        x: Tensor,
        query_position: Tensor,
        query_sine: Tensor,
        memory: Tensor,
        memory_mask: Tensor,
        memory_position: Tensor,
        blocked: Tensor | None = None,
        text: Tensor | None = None,
    ) -> Tensor:
        """``x``, ``query_position``, ``query_sine (B, Q, D)``; ``memory (B, L, D)``; masks True =
        real; ``blocked (Q, Q)`` True = must not see; ``text (B, D)`` for a layer with a gate."""
        position = self.self_query_position(query_position)
        query = self.self_query_content(x) + position
        source = position if self.chained_key_position else query_position
        key = self.self_key_content(x) + self.self_key_position(source)
        attended = self.self_attention(query, key, self.self_value(x), blocked=blocked)
        x = self.norm1(x + self.noise(attended))
        if self.gate is not None:
            assert text is not None, 'given by a decoder with a gate'
            x = self.gate(x, text, blocked)

        query_content, key_content = self.cross_query_content(x), self.cross_key_content(memory)
        key_position = self.cross_key_position(memory_position)
        if self.cross_query_position is not None:
            query_content = query_content + self.cross_query_position(query_position)
            key_content = key_content + key_position
        query = self._pair_heads(query_content, self.cross_query_sine(query_sine))
        key = self._pair_heads(key_content, key_position)
        attended = self.cross_attention(query, key, self.cross_value(memory), memory_mask)
        x = self.norm2(x + self.noise(attended))
        return self.norm3(x + self.noise(self.feed_forward(x)))


@MODELS.register_module()
class SpanDecoder(nn.Module):
    """Decoder that refines the span of every query layer by layer.

    Args:
        dim: Token width.
        num_layers: Number of layers; they start with identical weights.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward networks.
        dropout: Inside the feed-forward networks.
        drop_path: Stochastic depth per sample.
        residual_dropout: Dropout of single elements on the residual branches.
        activation: Of the feed-forward networks.
        positions: How queries read the place of their spans; what is left away is as in
            ``POSITIONS``. ``scale_first_layer``: modulate the positional query by the content in
            the first layer too. ``chained_key_position``: project the self-attention's key position
            from the already projected query position, as SG-DETR's code does, instead of from the
            position itself. ``add_first_position``: in the first layer, also add the projected
            positions to the contents of queries and keys, as DAB-DETR and the DETR family for
            moments do. ``min_width``: the width modulation divides by at least this much; 0 is the
            published form. ``wide_code``: code centre and width with D channels each; both tell the
            position, and the centre alone is what cross-attention looks for (EaTR).
            ``detach_first``: the first layer takes the place of references that are made from
            content as given. ``predict_from='leaving'``: predictions correct the references that
            left their layer (UVCOM) instead of those that entered it. ``shared_head``: layers
            refine with the span head of the predictions (EaTR).
        init: Initialise as DETR's code does, see :func:`init_transformer`.
        coder: Config of what a reference means, see
            :class:`vtg.models.task_modules.ReferenceCoder`; centre and width by default.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    slot = 'decoder'
    predicts_spans = False
    contents = 1
    requires: tuple[str, ...] = ()
    refines_spans = True

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
        positions: Positions | None = None,
        init: Init = None,
        coder: dict | None = None,
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.coder = TASK_UTILS.build(coder or dict(type='CentreWidthCoder'))
        options: Positions = {**POSITIONS, **(positions or {})}
        self.scale_first_layer = options['scale_first_layer']
        self.min_width = options['min_width']
        self.wide_code = options['wide_code']
        self.detach_first = options['detach_first']
        self.predict_from = check_choice(
            options['predict_from'], ('entering', 'leaving'), 'SpanDecoder: positions.predict_from'
        )
        self.shares_refinement = options['shared_head']
        layer = SpanDecoderLayer(
            dim,
            num_heads,
            hidden_dim,
            dropout,
            drop_path,
            residual_dropout,
            activation,
            options['chained_key_position'],
            options['add_first_position'],
            attention_dropout,
        )
        self.layers = clones(layer, num_layers)
        for later in self.layers[1:]:
            assert isinstance(later, SpanDecoderLayer)
            later.cross_query_position = None
        self.query_scale = MLP(dim, dim, dim)
        self.position_head = MLP(2 * dim if self.wide_code else dim, dim, dim)
        self.width_head = MLP(dim, dim, 1)
        self.refine = MLP(dim, dim, dim, self.coder.size, zero_last=True)
        self.norm = nn.LayerNorm(dim)
        init_transformer(self, init)
        # Redrawing the layer's weights leaves no identity to start from, as in the released code.
        nn.init.zeros_(self.refine[-1].get_parameter('bias'))

    def forward(
        self,
        content: Tensor,
        reference: Tensor,
        memory: Tensor,
        memory_mask: Tensor,
        memory_position: Tensor,
        blocked: Tensor | None = None,
        state: GroundingState | None = None,
    ) -> DecoderOutputs:
        """Decode.

        Args:
            content: ``(B, Q, D)`` content queries.
            reference: ``(B, Q, R)`` initial references in [0, 1], of the size of the coder.
            memory: ``(B, L, D)``.
            memory_mask: ``(B, L)`` True = real.
            memory_position: ``(B, L, D)``.
            blocked: ``(Q, Q)`` True where the row's query must not see the column's.
            state: For decoders that read more than that; this one does not.
        """
        x, entering = content, reference
        reference = reference.detach() if self.detach_first else reference
        hidden, references, refined = [], [], []
        text = self.text_vector(state)
        for index, layer in enumerate(self.layers):
            spans = self.coder.spans(reference)
            sine = sine_span_embedding(spans, 2 * self.dim if self.wide_code else self.dim)
            position = self.position_head(sine)
            sine = sine[..., : self.dim]
            if index > 0 or self.scale_first_layer:
                sine = sine * self.query_scale(x)
            width = spans[..., 1:].clamp(min=self.min_width)
            sine = sine * self.width_head(x).sigmoid() / width
            x = layer(x, position, sine, memory, memory_mask, memory_position, blocked, text)
            leaving = self.coder.logits(reference, self.refine(x)).sigmoid()
            hidden.append(x)
            references.append(leaving if self.predict_from == 'leaving' else entering)
            refined.append(leaving)
            # The next layer starts from a constant, while its prediction still reaches this
            # layer's refinement through ``entering``.
            entering, reference = leaving, leaving.detach()
        states = torch.stack(hidden)
        return DecoderOutputs(
            states, self.norm(states), torch.stack(references), torch.stack(refined)
        )

    def text_vector(self, state: GroundingState | None) -> Tensor | None:
        """What the layers read of the text beside the memory, ``(B, D)``; None reads nothing."""
        return None
