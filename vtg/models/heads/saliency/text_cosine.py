# SPDX-License-Identifier: Apache-2.0
"""Clip scores by comparison with the query before fusion."""

from typing import Any

import torch

from vtg.models.layers import WeightedPooling, unit
from vtg.registry import MODELS
from vtg.structures import GroundingState

from .clip_heads import SupervisedSaliencyHead


@MODELS.register_module()
class TextCosineSaliencyHead(SupervisedSaliencyHead):
    """Cosine between every clip and the pooled query, both as they are before fusion.

    UniVTG (Lin et al., ICCV 2023), section 3.2. The scores never see fusion and encoder; the
    losses shape the projections alone.

    Args:
        dim: Token width.
        losses: Saliency losses by name.
    """

    requires = ('video', 'text')
    reads = ()
    provides = ('saliency', 'sentence')

    def __init__(self, dim: int, losses: dict[str, dict | None] | None = None) -> None:
        super().__init__(losses)
        self.dim = dim
        self.pooling = WeightedPooling(dim)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``sentence (B, D)`` and ``saliency (B, L)``; padded clips hold anything."""
        sentence = self.pooling(state.text, state.text_mask)
        clips = unit(state.video, eps=1e-8)
        query = unit(sentence, eps=1e-8)
        return {'sentence': sentence, 'saliency': torch.einsum('bld,bd->bl', clips, query)}
