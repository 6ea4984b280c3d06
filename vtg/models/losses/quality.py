# SPDX-License-Identifier: Apache-2.0
"""Losses of what a moment head says about its own spans."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import check_choice

from .assigned import AssignedPredictions
from .moment import MomentLoss


@MODELS.register_module()
class QualityLoss(MomentLoss):
    """Cross-entropy of the predicted overlap with the one that is reached.

    Args:
        targets: ``'positive'``: entries with a moment learn; ``'all'``: the others learn 0 with a
            tenth of the weight.
        weight: Factor of the term.
    """

    needs = ('quality',)

    def __init__(
        self, targets: Literal['positive', 'all'] = 'positive', weight: float = 1.0
    ) -> None:
        super().__init__(weight)
        self.targets = check_choice(targets, ('positive', 'all'), 'QualityLoss: targets')

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`."""
        quality = assigned.quality
        assert quality is not None
        loss = F.binary_cross_entropy_with_logits(
            quality, assigned.overlap.to(quality.dtype), reduction='none'
        )
        if self.targets == 'positive':
            return assigned.positive_mean(loss)
        return assigned.entry_mean(loss * torch.where(assigned.positive, 1.0, 0.1))


@MODELS.register_module()
class CenternessLoss(MomentLoss):
    """Cross-entropy of the predicted centerness with that of the anchor in its moment (Tian et
    al., "FCOS", 2019)."""

    needs = ('centerness',)

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`."""
        found, wanted = assigned.centerness, assigned.wanted_centerness
        assert found is not None and wanted is not None
        loss = F.binary_cross_entropy_with_logits(found, wanted.to(found.dtype), reduction='none')
        return assigned.positive_mean(loss)
