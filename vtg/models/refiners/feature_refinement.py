# SPDX-License-Identifier: Apache-2.0
"""Refinement of clips by their similarity with the sentence."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Refiner
from vtg.models.layers import Dropout, WeightedPooling, cosine, masked_fill_zero
from vtg.registry import MODELS
from vtg.structures import GroundingState

# What the released code adds to the similarity of padded clips: the logarithm of the smallest
# number of float32, computed once because it must not be flushed to zero.
PADDED_SIMILARITY = -103.27893


@MODELS.register_module()
class FeatureRefinement(Refiner):
    """Feature refinement and alignment (FRA): a clip is mixed with the sentence and their cosine.

    VideoLights (Paul et al., arXiv 2412.01558), section III-B, as in the released code: four inputs
    of a pointwise convolution are the clip, its cosine with the pooled sentence spread over the
    channels, the sentence, and a correspondence map. That map is a mean over the words of one
    constant vector, the same for every clip and query: a learned bias.

    Args:
        dim: Token width.
        dropout: On all inputs and on the output; 0.1 in the released code whatever the other
            dropouts are.
        mask_padding: Padded clips become 0. The released code gives them a similarity of -103, and
            they enter some of its losses.
    """

    def __init__(self, dim: int, dropout: float = 0.1, mask_padding: bool = True) -> None:
        super().__init__()
        self.dim = dim
        self.mask_padding = mask_padding
        self.pooling = WeightedPooling(dim)
        self.similarity = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, dim)))
        self.correspondence = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, dim)))
        self.correspondence_scale = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, 1)))
        self.mixer = nn.Linear(4 * dim, dim)
        self.dropout = Dropout(dropout)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``video (B, L, D)``."""
        video, mask = state.video, state.video_mask
        sentence = self.pooling(state.text, state.text_mask).unsqueeze(1)
        similarity = cosine(video, sentence)
        if not self.mask_padding:
            similarity = similarity + torch.where(mask, 0.0, PADDED_SIMILARITY)
        mixed = self.mixer(
            torch.cat(
                (
                    self.dropout(video),
                    self.dropout(similarity.unsqueeze(-1) * self.similarity),
                    self.dropout(sentence.expand_as(video)),
                    self.dropout(self._correspondence(video)),
                ),
                dim=-1,
            )
        )
        refined = self.dropout(F.relu(mixed))
        return {'video': masked_fill_zero(refined, mask) if self.mask_padding else refined}

    def _correspondence(self, video: Tensor) -> Tensor:
        """The map ``(B, L, D)``."""
        return (self.correspondence_scale * self.correspondence).expand_as(video)
