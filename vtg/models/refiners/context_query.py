# SPDX-License-Identifier: Apache-2.0
"""Refinement of clips by attention between clips and words in both directions."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from vtg.models.base import Refiner
from vtg.models.layers import ContextQueryAttention, WeightedPooling
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class ContextQueryRefinement(ContextQueryAttention, Refiner):
    """Lets every clip take in the words and the clips that its words point to, then the sentence.

    Context-query attention (QANet, Yu et al., 2018; VSLNet, Zhang et al., 2020) as TR-DETR (Sun et
    al., 2024, section 3.2) refines its clips with it.

    Args:
        dim: Token width.
        dropout: On clips and words where they are compared.
    """

    def __init__(self, dim: int, dropout: float = 0.1) -> None:
        super().__init__(dim, dropout)
        self.dim = dim
        self.pooling = WeightedPooling(dim)
        self.mix = nn.Linear(2 * dim, dim)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``video (B, L, D)``; padded clips hold anything."""
        video, text = state.video, state.text
        attended = self.attend(video, text, state.video_mask, state.text_mask)
        sentence = self.pooling(text, state.text_mask).unsqueeze(1).expand_as(video)
        return {'video': F.relu(self.mix(torch.cat((attended, sentence), dim=-1)))}
