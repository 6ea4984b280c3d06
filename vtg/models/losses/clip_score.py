# SPDX-License-Identifier: Apache-2.0
"""Losses on the scores that a moment head gives to clips."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import check_choice

from .assigned import AssignedPredictions
from .moment import MomentLoss
from .saliency import masked_mean


def min_max(scores: Tensor, mask: Tensor) -> Tensor:
    """Map the least real score of every sample to 0 and the greatest to 1.

    Args:
        scores: ``(B, L)``.
        mask: ``(B, L)`` True = real.

    Returns:
        ``(B, L)``; all 0 in a sample whose scores are equal, anything on padding.
    """
    low = scores.masked_fill(~mask, torch.inf).amin(dim=1, keepdim=True)
    high = scores.masked_fill(~mask, -torch.inf).amax(dim=1, keepdim=True)
    width = high - low
    return (scores - low) / torch.where(width > 0, width, torch.ones_like(width))


def clip_score_distance(
    scores: Tensor,
    labels: Tensor,
    mask: Tensor,
    over: str = 'sample',
    counts: Tensor | None = None,
) -> Tensor:
    """Mean squared distance of scores and labels after both are brought to [0, 1].

    FlashVTG's clip-aware score loss (Cao et al., 2025, section 3.6).

    Args:
        scores: ``(B, L)`` logits.
        labels: ``(B, L)`` saliency labels.
        mask: ``(B, L)`` True = real.
        over: What shares its extremes: the real clips of a ``'sample'``, or the whole ``'batch'``
            with its padding, which then also enters the mean, as in the released code.
        counts: ``(B,)`` samples with extremes of their own to compare with; None for all.

    Returns:
        Scalar, the mean over the clips of these samples, or of the batch.
    """
    check_choice(over, ('sample', 'batch'), 'over')
    if over == 'batch':
        counts = None
        scores, labels, mask = (x.reshape(1, -1) for x in (scores, labels, torch.ones_like(mask)))
    distance = (min_max(scores, mask) - min_max(labels, mask)).square()
    entering = mask if counts is None else mask & counts.unsqueeze(-1)
    return masked_mean(torch.where(mask, distance, distance.new_zeros(())), entering)


@MODELS.register_module()
class ClipScoreLoss(MomentLoss):
    """The clip-aware score: the logits of the clips against their saliency labels, both brought to
    [0, 1] (FlashVTG, Cao et al., 2025, section 3.6).

    Args:
        over: See :func:`clip_score_distance`.
        weight: Factor of the term.
    """

    needs = ('clip_scores',)
    own_name = True

    def __init__(self, over: Literal['sample', 'batch'] = 'sample', weight: float = 1.0) -> None:
        super().__init__(weight)
        self.over = check_choice(over, ('sample', 'batch'), 'ClipScoreLoss: over')

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`."""
        assert assigned.clip_scores is not None
        targets = state.targets
        distances = [
            clip_score_distance(
                scores, targets.saliency, state.video_mask, self.over, targets.answerable
            )
            for scores in assigned.clip_scores
        ]
        return torch.stack(distances)


@MODELS.register_module()
class ClipLabelLoss(MomentLoss):
    """Cross-entropy of the logits of the clips with the saliency labels themselves, for data that
    has no moments (FlashVTG on TVSum; labels above 1 make it unbounded, as published)."""

    needs = ('clip_scores',)

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`."""
        scores = assigned.clip_scores
        assert scores is not None
        labels = state.targets.saliency.expand_as(scores)
        loss = F.binary_cross_entropy_with_logits(scores, labels, reduction='none')
        return torch.stack([masked_mean(stage, state.video_mask) for stage in loss])
