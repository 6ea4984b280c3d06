# SPDX-License-Identifier: Apache-2.0
"""Contrast of encoded clips with the query, in training only."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.base import Auxiliary
from vtg.models.layers import WeightedPooling, unit
from vtg.models.losses import IntraVideoNCELoss
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class SampledNCE(Auxiliary):
    """The best clip of a video must be closer to the pooled query than its other clips are, and
    closer than the same clip of the other videos of the batch to their queries.

    Liu et al., "R2-Tuning", 2024, equations 10 and 11, on the rectified memory of the last layer
    only, as in FlashVTG (Cao et al., 2025, section 3.6).

    Args:
        dim: Token width.
        temperature: Divisor of the cosines.
        across: Compare videos too.
        weight: Weight of the term.
    """

    requires = ('memory', 'text')
    reads = ('moment_memory',)

    def __init__(
        self,
        dim: int,
        temperature: float = 0.07,
        across: bool = True,
        weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.pooling = WeightedPooling(dim)
        # The first pair is the hard one: its positive clip has the highest label.
        self.contrast = IntraVideoNCELoss(
            keep_equal=True,
            across=across,
            temperature=temperature,
            pair=0,
            weight=weight,
        )

    def similarity(self, state: GroundingState) -> Tensor:
        """Cosines ``(B, L)`` of all clips with the query."""
        query = unit(self.pooling(state.text, state.text_mask), eps=1e-8)
        clips = unit(F.relu(state.for_moments), eps=1e-8)
        return torch.einsum('bld,bd->bl', clips, query)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_sampled_nce``."""
        return {'loss_sampled_nce': self.contrast(self.similarity(state), state, None)}
