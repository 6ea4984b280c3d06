# SPDX-License-Identifier: Apache-2.0
"""Queries that are events of the video."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vtg.models.layers import MLP, Init, SlotAttention
from vtg.models.losses import MomentLosses
from vtg.models.losses.moment import LossConfigs
from vtg.models.task_modules import MatchInputs
from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import GroundingState, in_float32

from .outputs import QueryPredictions, assign_matched
from .sources import QueryProposals, QuerySource


@MODELS.register_module()
class EventSlots(QuerySource):
    """Slots that share out the clips of the video are contents and, decoded, first references.

    The event reasoning of EaTR (Jang et al., ICCV 2023, section 3.2): the slots see the projected
    video and no text. Normalised, they also predict events that have to be those which the features
    tell apart without labels; that supervision needs the same perceptron. References pass gradient;
    a decoder that should not hand it on detaches them (``positions.detach_first``).

    Args:
        dim: Token width.
        num_queries: Number of slots.
        num_iterations: Updates of the slots.
        events: Config of what finds the events, e.g. ``PseudoEvents``; None with ``losses={}``.
        matcher: Config of the matcher of slots and events.
        losses: Configs of losses on the spans of matched slots.
        mask_padding: See :class:`vtg.models.layers.SlotAttention`.
        init: Initialise slots and attention as DETR's code does.
    """

    requires = ('projected_video', 'video_pos')
    parts: ClassVar[dict[str, Any]] = {
        'events': {'type': 'PseudoEvents'},
        'matcher': {
            'type': 'HungarianMatcher',
            'costs': {
                'span': {'type': 'L1SpanCost', 'weight': 10.0},
                'giou': {'type': 'GIoUCost', 'weight': 1.0},
            },
        },
        'losses': {
            'span': {'type': 'L1SpanLoss', 'weight': 30.0},
            'giou': {'type': 'GIoUSpanLoss', 'weight': 3.0},
        },
    }

    def __init__(
        self,
        dim: int,
        events: dict,
        matcher: dict,
        losses: LossConfigs,
        num_queries: int = 10,
        num_iterations: int = 3,
        mask_padding: bool = True,
        init: Init = 'xavier',
    ) -> None:
        super().__init__()
        self.dim = dim
        self.slots = nn.Parameter(torch.empty(num_queries, dim))
        nn.init.xavier_uniform_(self.slots)
        self.attention = SlotAttention(dim, num_iterations, mask_padding=mask_padding, init=init)
        self.event_norm = nn.LayerNorm(dim)
        self.span_head = MLP(dim, dim, dim, 2, zero_last=True, xavier=False)
        self.events = TASK_UTILS.build(events)
        self.matcher = TASK_UTILS.build(matcher)
        self.losses = MomentLosses(losses, 'event_')
        self.losses.check_fit('EventSlots', (), num_logits=0)

    def forward(self, state: GroundingState) -> QueryProposals:
        """See :class:`QuerySource`."""
        video = state.projected_video + state.video_pos
        slots = self.slots.expand(video.shape[0], -1, -1)
        slots = self.attention(slots, video, state.video_mask)
        reference = in_float32(self.span_head(slots)).sigmoid()
        events = in_float32(self.span_head(self.event_norm(slots))).sigmoid()
        mask = state.video_mask.new_ones(slots.shape[:2])
        return QueryProposals(slots, reference, mask, events=events)

    def loss(self, proposals: QueryProposals, state: GroundingState) -> dict[str, Tensor]:
        """``loss_event_<name>``: every event and the slot matched with it, means over the pairs."""
        if not self.losses:
            return {}
        assert proposals.events is not None
        spans = proposals.events.unsqueeze(0)  # one stage
        events, real = self.events(state.video_features.flatten(2), state.video_mask)
        index = self.matcher(MatchInputs(spans=spans), events, real)
        predictions = QueryPredictions(spans.new_zeros(*spans.shape[:-1], 0), spans)
        return self.losses(assign_matched(predictions, events, index, proposals.mask), state)
