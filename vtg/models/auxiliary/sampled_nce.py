# SPDX-License-Identifier: Apache-2.0
"""Contrast of encoded clips with the query, in training only."""

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.base import Auxiliary
from vtg.models.layers import WeightedPooling, unit
from vtg.models.losses import IntraVideoNCELoss
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import check_choice


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
        pair: Which of the ranked pairs of clips gives the positive one: 0 is the hard pair with the
            highest label (FlashVTG), -1 a random relevant clip (R2-Tuning).
        query: ``'pooled'`` words with weights of its own, or the ``'sentence'`` of the state.
    """

    requires = ('memory', 'text')
    can_do_without: ClassVar[dict[str, str]] = {'text': "query='sentence'"}
    reads = ('moment_memory',)

    def __init__(
        self,
        dim: int,
        temperature: float = 0.07,
        across: bool = True,
        weight: float = 0.1,
        pair: int = 0,
        query: Literal['pooled', 'sentence'] = 'pooled',
    ) -> None:
        super().__init__()
        check_choice(query, ('pooled', 'sentence'), 'SampledNCE: query')
        self.dim = dim
        self.pooling = WeightedPooling(dim) if query == 'pooled' else None
        if self.pooling is None:
            self.requires = ('memory', 'sentence')
        self.contrast = IntraVideoNCELoss(
            keep_equal=True,
            across=across,
            temperature=temperature,
            pair=pair,
            weight=weight,
        )

    def similarity(self, state: GroundingState) -> Tensor:
        """Cosines ``(B, L)`` of all clips with the query."""
        query = state.sentence
        if self.pooling is not None:
            query = self.pooling(state.text, state.text_mask)
        query = unit(query, eps=1e-8)
        clips = unit(F.relu(state.for_moments), eps=1e-8)
        return torch.einsum('bld,bd->bl', clips, query)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_sampled_nce``."""
        return {'loss_sampled_nce': self.contrast(self.similarity(state), state, None)}
