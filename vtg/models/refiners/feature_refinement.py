# SPDX-License-Identifier: Apache-2.0
"""Refinement of clips by their similarity with the sentence."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Refiner
from vtg.models.layers import Dropout, WeightedPooling, cosine, masked_fill_zero
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import check_choice

# What the released code adds to the similarity of padded clips: the logarithm of the smallest
# number of float32, computed once because it must not be flushed to zero.
PADDED_SIMILARITY = -103.27893


@MODELS.register_module()
class FeatureRefinement(Refiner):
    """Feature refinement and alignment (FRA): a clip is mixed with the sentence and their cosine.

    VideoLights (Paul et al., arXiv 2412.01558), section III-B: four inputs of a pointwise
    convolution are the clip, its similarity with the pooled sentence spread over the channels, the
    sentence, and a correspondence map. In the released code that map is a mean over the words of
    one constant vector, the same for every clip and query: a learned bias. In the paper it is the
    product of clips and words, one column per word.

    Args:
        dim: Token width.
        dropout: On all inputs and on the output; 0.1 in the released code whatever the other
            dropouts are.
        mask_padding: Padded clips become 0. The released code gives them a similarity of -103, and
            they enter some of its losses.
        correspondence: ``'constant'``, as in the released code, or ``'map'``: ``<v_i, t_j>``.
        similarity_by: ``'cosine'`` with the sentence, as in the released code, or ``'product'``.
        max_words: Columns of the map: those of missing words are 0, later words are left out.
    """

    def __init__(
        self,
        dim: int,
        dropout: float = 0.1,
        mask_padding: bool = True,
        correspondence: Literal['constant', 'map'] = 'constant',
        similarity_by: Literal['cosine', 'product'] = 'cosine',
        max_words: int = 32,
    ) -> None:
        super().__init__()
        known = ('constant', 'map')
        uses_map = check_choice(correspondence, known, 'FeatureRefinement: correspondence') == 'map'
        known = ('cosine', 'product')
        self.similarity_by = check_choice(similarity_by, known, 'FeatureRefinement: similarity_by')
        self.dim = dim
        self.mask_padding = mask_padding
        self.max_words = max_words if uses_map else None
        self.pooling = WeightedPooling(dim)
        self.similarity = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, dim)))
        if not uses_map:
            self.correspondence = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, dim)))
            self.correspondence_scale = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, 1)))
        self.mixer = nn.Linear(3 * dim + (max_words if uses_map else dim), dim)
        self.dropout = Dropout(dropout)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``video (B, L, D)``."""
        video, mask = state.video, state.video_mask
        sentence = self.pooling(state.text, state.text_mask).unsqueeze(1)
        if self.similarity_by == 'cosine':
            similarity = cosine(video, sentence)
        else:
            similarity = (video * sentence).sum(dim=-1)
        if not self.mask_padding:
            similarity = similarity + torch.where(mask, 0.0, PADDED_SIMILARITY)
        mixed = self.mixer(
            torch.cat(
                (
                    self.dropout(video),
                    self.dropout(similarity.unsqueeze(-1) * self.similarity),
                    self.dropout(sentence.expand_as(video)),
                    self.dropout(self._correspondence(state)),
                ),
                dim=-1,
            )
        )
        refined = self.dropout(F.relu(mixed))
        return {'video': masked_fill_zero(refined, mask) if self.mask_padding else refined}

    def _correspondence(self, state: GroundingState) -> Tensor:
        """The map: ``(B, L, D)`` of the constant, or ``(B, L, max_words)``."""
        video = state.video
        if self.max_words is None:
            return (self.correspondence_scale * self.correspondence).expand_as(video)
        words = masked_fill_zero(state.text, state.text_mask)[:, : self.max_words]
        return F.pad(video @ words.mT, (0, self.max_words - words.shape[1]))
