# SPDX-License-Identifier: Apache-2.0
"""Losses of what a moment head says about its own spans."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.registry import MODELS
from vtg.structures import GroundingState, cxw_to_xx, iou_pairwise
from vtg.utils import check_choice

from .assigned import AssignedPredictions
from .classification import foreground_probability
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


@MODELS.register_module()
class BestOverlapLoss(MomentLoss):
    """Distance of the foreground probability from the best overlap with any moment of the sample,
    so that the score says how good a moment is (BAM-DETR, Lee and Byun, 2024, section 3.4).

    Every entry learns, matched or not. The mean is taken over those of high, middle and low overlap
    apart, as in the released code, because most are low.

    Args:
        limits: Overlaps between low and middle, middle and high; () for one plain mean.
        weight: Factor of the term.
    """

    needs = ('moments',)

    def __init__(self, limits: tuple[float, ...] = (0.3, 0.7), weight: float = 1.0) -> None:
        super().__init__(weight)
        self.limits = tuple(limits)

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`."""
        return self.means(assigned, state).mean(dim=-1)

    def means(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """``(S, len(limits) + 1)`` mean distance by overlap, low first; 0 where there is none."""
        best = self.best(assigned, state)
        kind = torch.zeros_like(best, dtype=torch.long)
        for limit in self.limits:
            kind = kind + (best > limit)
        distance = (foreground_probability(assigned.logits) - best).abs()
        found = []
        for index in range(len(self.limits) + 1):
            here = assigned.mask & (kind == index)
            total = torch.where(here, distance, distance.new_zeros(())).flatten(1).sum(dim=1)
            found.append(total / here.flatten(1).sum(dim=1).clamp(min=1))
        return torch.stack(found, dim=-1)

    @staticmethod
    def best(assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """``(S, B, N)`` best overlap within the video, without gradient; 0 without moments."""
        assert assigned.moments is not None
        mask = state.targets.span_mask[:, None, :]
        spans, moments = (
            (value.detach() if assigned.ends else cxw_to_xx(value.detach())).clamp(0, 1)
            for value in (assigned.spans, assigned.moments)
        )
        overlap = iou_pairwise(spans, moments).nan_to_num(nan=0.0)  # (S, B, N, G)
        if not overlap.shape[-1]:
            return overlap.new_zeros(overlap.shape[:-1])
        return overlap.masked_fill(~mask, 0).amax(dim=-1)
