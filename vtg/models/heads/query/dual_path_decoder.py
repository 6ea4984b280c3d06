# SPDX-License-Identifier: Apache-2.0
"""A decoder that moves a point inside of a moment, and its two boundaries on their own."""

from typing import Literal, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.extras import BoundaryFeatures
from vtg.models.layers import (
    MLP,
    Activation,
    DecoderOutputs,
    DeformableLayer,
    Init,
    SpanDecoderLayer,
    clones,
    init_transformer,
    inverse_sigmoid,
    sine_span_embedding,
)
from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import GroundingState, cxw_to_xx
from vtg.utils import check_keys


class Sampling(TypedDict, total=False):
    """How boundaries look at clips, see :class:`~vtg.models.layers.DeformableAttention`."""

    num_points: int
    length: Literal['own', 'padded']


SAMPLING: Sampling = {'num_points': 4, 'length': 'own'}


@MODELS.register_module()
class DualPathDecoder(nn.Module):
    """Decoder of queries that are a point and its distances from start and end (BAM-DETR, Lee and
    Byun, 2024, section 3.3).

    Every query has three contents. In each layer the first attends to the whole video and moves the
    point; then the others read boundary features around start and end and correct the two
    distances. The layers predict the references themselves. What is scored is one state made of
    all three contents.

    Args:
        dim: Token width.
        num_layers: Number of layers.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward networks.
        dropout: Inside the feed-forward networks.
        drop_path: Stochastic depth per sample.
        residual_dropout: Dropout of single elements on the residual branches.
        activation: Of the feed-forward networks.
        sampling: How boundaries look at clips; what is left away is as in ``SAMPLING``.
        min_width: The width modulation divides by at least this much; 0 is the published form.
        init: Initialise as DETR's code does, see :func:`init_transformer`.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    slot = 'decoder'
    requires: tuple[str, ...] = ('boundary_features',)
    refines_spans = True
    shares_refinement = False
    predicts_spans = True
    contents = 3

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
        sampling: Sampling | None = None,
        min_width: float = 1e-3,
        init: Init = None,
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        check_keys(sampling, SAMPLING, 'sampling')
        self.dim = dim
        self.min_width = min_width
        self.coder = TASK_UTILS.build(dict(type='PointDistancesCoder'))
        noise = (dropout, drop_path, residual_dropout)
        layer = SpanDecoderLayer(
            dim, num_heads, hidden_dim, *noise, activation,
            chained_key_position=False, add_position=True, attention_dropout=attention_dropout,
        )  # fmt: skip
        self.layers = clones(layer, num_layers)
        for later in self.layers[1:]:
            assert isinstance(later, SpanDecoderLayer)
            later.cross_query_position = None
        options: Sampling = {**SAMPLING, **(sampling or {})}
        boundary = DeformableLayer(
            dim, num_heads, hidden_dim, *noise, activation, options['num_points'], options['length']
        )
        self.boundaries = clones(clones(boundary, 2), num_layers)
        self.query_scale = MLP(dim, dim, dim)
        self.position_head = MLP(2 * dim, 2 * dim, dim)
        self.width_head = MLP(dim, dim, 1)
        init_transformer(self, init)
        for pair in self.boundaries:
            for side in pair.children():
                assert isinstance(side, DeformableLayer)
                side.attention.reset_biases()
        corrections = nn.ModuleList(
            MLP(dim, dim, dim, 1, zero_last=True, xavier=False) for _ in range(3)
        )
        self.refine = clones(corrections, num_layers)
        self.readout = nn.Sequential(MLP(3 * dim, dim, dim, xavier=False), nn.ReLU())

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
            content: ``(B, Q, 3 D)``: of the point, of the start, of the end.
            reference: ``(B, Q, 3)``: point and distances in [0, 1].
            memory: ``(B, S, D)``, clips first.
            memory_mask: ``(B, S)`` True = real.
            memory_position: ``(B, S, D)``.
            blocked: ``(Q, Q)`` True where the row's query must not see the column's.
            state: With ``boundary_features``.
        """
        assert state is not None, 'reads boundary features'
        features, mask = state.extras[BoundaryFeatures], state.video_mask
        clips = memory[:, : mask.shape[1]]
        sources = [torch.cat((clips, side), dim=-1) for side in (features.left, features.right)]
        anchor, *sides = content.chunk(3, dim=-1)
        read, references, refined = [], [], []
        for index, layer in enumerate(self.layers):
            references.append(reference)
            move, *corrections = self.refine[index].children()
            spans = _inside(reference)
            code = sine_span_embedding(spans, 2 * self.dim)
            sine = code[..., : self.dim]
            if index > 0:
                sine = sine * self.query_scale(anchor)
            width = spans[..., 1:].clamp(min=self.min_width)
            sine = sine * self.width_head(anchor).sigmoid() / width
            position = self.position_head(code)
            anchor = layer(anchor, position, sine, memory, memory_mask, memory_position, blocked)
            moved = (inverse_sigmoid(reference) + F.pad(move(anchor), (0, 2))).sigmoid()
            points = cxw_to_xx(_inside(moved.detach())).unbind(-1)
            sides = [
                boundary(side, point, source, mask)
                for boundary, side, point, source in zip(
                    self.boundaries[index].children(), sides, points, sources, strict=True
                )
            ]
            changes = [correct(side) for correct, side in zip(corrections, sides, strict=True)]
            change = F.pad(torch.cat(changes, dim=-1), (1, 0))
            leaving = (inverse_sigmoid(moved.detach()) + change).sigmoid()
            refined.append(torch.cat((moved[..., :1], leaving[..., 1:]), dim=-1))
            joined = (anchor, *(side - anchor for side in sides))
            read.append(self.readout(torch.cat(joined, dim=-1)))
            # The next layer starts from a constant.
            reference = leaving.detach()
        states = torch.stack(read)
        return DecoderOutputs(states, states, torch.stack(references), torch.stack(refined))


def _inside(reference: Tensor) -> Tensor:
    """Centre and width ``(..., 2)`` of what lies in the video of a point with two distances."""
    point, before, after = reference.unbind(-1)
    start, end = (point - before).clamp(min=0), (point + after).clamp(max=1)
    return torch.stack(((start + end) / 2, end - start), dim=-1)
