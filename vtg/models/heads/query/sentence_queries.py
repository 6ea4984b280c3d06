# SPDX-License-Identifier: Apache-2.0
"""Queries that start from the sentence."""

import torch
from torch import nn

from vtg.models.extras import QuerySentence
from vtg.models.layers import Init, SlotAttention
from vtg.registry import MODELS
from vtg.structures import GroundingState

from .sources import QueryProposals, QuerySource


@MODELS.register_module()
class SentenceQueries(QuerySource):
    """The sentence, told apart by learned vectors, collects clips by slot attention.

    After UVCOM (Xiao et al., CVPR 2024, section 3.3). The sentence is what the fusion makes of the
    words, e.g. ``ClusterIntegration``, else the mean projected word. References are learned.

    Args:
        dim: Token width.
        num_queries: Number of queries.
        num_iterations: Updates of the slots.
        hidden_dim: Width of the two layers inside the perceptron of the slots.
        identical: Add the learned vectors after the slot attention instead of before, as the
            released code does. All slots then are one, each gets the mean clip, and the projections
            of queries and keys learn nothing.
        mask_padding: See :class:`vtg.models.layers.SlotAttention`.
        init: Initialise as DETR's code does, see :func:`vtg.models.layers.init_transformer`.
    """

    requires = ('memory', 'projected_text')
    reads = ('query_sentence',)

    def __init__(
        self,
        dim: int,
        num_queries: int = 30,
        num_iterations: int = 5,
        hidden_dim: int = 1024,
        identical: bool = False,
        mask_padding: bool = True,
        init: Init = 'xavier',
    ) -> None:
        super().__init__()
        self.dim = dim
        self.identical = identical
        self.reference_logits = nn.Parameter(torch.randn(num_queries, 2))
        self.slots = nn.Parameter(nn.init.xavier_uniform_(torch.empty(num_queries, dim)))
        self.attention = SlotAttention(
            dim, num_iterations, (hidden_dim, hidden_dim), mask_padding, init
        )

    def forward(self, state: GroundingState) -> QueryProposals:
        """See :class:`QuerySource`."""
        start = QuerySentence.found_in(state).unsqueeze(1)  # (B, 1, D)
        if self.identical:
            content = self.attention(start, state.memory, state.video_mask) + self.slots
        else:
            content = self.attention(start + self.slots, state.memory, state.video_mask)
        mask = state.video_mask.new_ones(content.shape[:2])
        reference = self.reference_logits.sigmoid().expand(content.shape[0], -1, -1)
        return QueryProposals(content, reference, mask)
