# SPDX-License-Identifier: Apache-2.0
"""Refinement of clips by attention between clips and words in both directions."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Refiner
from vtg.models.layers import Dropout, WeightedPooling, masked_softmax
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class ContextQueryRefinement(Refiner):
    """Lets every clip take in the words and the clips that its words point to, then the sentence.

    Context-query attention (QANet, Yu et al., 2018; VSLNet, Zhang et al., 2020) as TR-DETR (Sun et
    al., 2024, section 3.2) refines its clips with it.

    Args:
        dim: Token width.
        dropout: On clips and words where they are compared.
    """

    def __init__(self, dim: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.dim = dim

        def weight(*shape: int) -> nn.Parameter:
            return nn.Parameter(nn.init.xavier_uniform_(torch.empty(*shape)))

        self.clip_weight, self.word_weight = weight(dim, 1), weight(dim, 1)
        self.product_weight = weight(1, 1, dim)
        self.dropout = Dropout(dropout)
        self.attended = nn.Linear(4 * dim, dim)
        self.pooling = WeightedPooling(dim)
        self.mix = nn.Linear(2 * dim, dim)

    def scores(self, video: Tensor, text: Tensor) -> Tensor:
        """Trilinear similarity ``(B, L, N)`` of clips and words."""
        video, text = self.dropout(video), self.dropout(text)
        product = (video * self.product_weight) @ text.transpose(1, 2)
        return product + video @ self.clip_weight + (text @ self.word_weight).transpose(1, 2)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``video (B, L, D)``; padded clips hold anything."""
        video, text = state.video, state.text
        scores = self.scores(video, text)
        over_words = masked_softmax(scores, state.text_mask[:, None, :], dim=2)
        over_clips = masked_softmax(scores, state.video_mask[:, :, None], dim=1)
        words = over_words @ text
        # From the right: clips by clips would grow with the square of the length.
        clips = over_words @ (over_clips.transpose(1, 2) @ video)
        attended = self.attended(torch.cat((video, words, video * words, video * clips), dim=-1))
        sentence = self.pooling(text, state.text_mask).unsqueeze(1).expand_as(video)
        return {'video': F.relu(self.mix(torch.cat((attended, sentence), dim=-1)))}
