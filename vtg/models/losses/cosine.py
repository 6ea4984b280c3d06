# SPDX-License-Identifier: Apache-2.0
"""Losses on the direction of the vector that a video's clip scores form.

VideoLights (Paul et al., arXiv 2412.01558), section III-E, equations 8 to 12. In the released code
scores are shifted so that the lowest is 0, then scores and labels of every video are scaled to norm
1; the paper's equations have the raw scores.
"""

from typing import Literal

import torch
from torch import Tensor

from vtg.models.layers import unit
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError

from .saliency import SaliencyLoss, masked_mean


class DirectionLoss(SaliencyLoss):
    """Base class of losses on directions.

    Args:
        shift_by: What is subtracted before scaling: the lowest score of the ``'sample'`` over its
            valid clips, or that of the whole ``'batch'`` with its padding, as in the released code,
            where padded clips also enter the norms and the means; None takes the raw scores, as
            the paper writes it.
        weight: Factor of the term.
    """

    def __init__(
        self, shift_by: Literal['sample', 'batch'] | None = 'sample', weight: float = 1.0
    ) -> None:
        super().__init__(weight)
        if shift_by not in ('sample', 'batch', None):
            raise ConfigError(
                f'{type(self).__name__}: shift_by must be sample, batch or None, got {shift_by!r}.'
            )
        self.shift_by = shift_by

    def counted(self, state: GroundingState) -> Tensor:
        """``(B, L)`` True on the clips that enter."""
        mask = state.video_mask
        return torch.ones_like(mask) if self.shift_by == 'batch' else mask

    def directions(self, scores: Tensor, state: GroundingState) -> tuple[Tensor, Tensor]:
        """Unit vectors ``(B, L)`` of the scores and of the labels, 0 on clips left out."""
        mask = self.counted(state)
        low: Tensor | float
        if self.shift_by is None:
            low = 0.0
        elif self.shift_by == 'batch':
            low = scores.min()
        else:
            low = scores.masked_fill(~mask, torch.inf).amin(dim=1, keepdim=True)
        # The released code divides by the range of the labels, which the norm takes out again.
        shifted = (scores - low).masked_fill(~mask, 0)
        labels = state.targets.saliency.to(scores.dtype).masked_fill(~mask, 0)
        return unit(shifted, dim=1), unit(labels, dim=1)


@MODELS.register_module()
class SaliencyCosineLoss(DirectionLoss):
    """One minus the cosine of scores and labels: the task-specific loss, and on scores made from
    moments the task-coupled one (equations 10 and 11). Queries without a moment have no direction
    and do not count.

    Args:
        reduction: Over the batch: ``'sum'`` as in the released code, or ``'mean'``.
        shift_by, weight: See :class:`DirectionLoss`.
    """

    def __init__(
        self,
        shift_by: Literal['sample', 'batch'] | None = 'sample',
        reduction: Literal['sum', 'mean'] = 'sum',
        weight: float = 1.0,
    ) -> None:
        super().__init__(shift_by, weight)
        self.reduction = reduction

    def compute(self, scores: Tensor, state: GroundingState, negative: Tensor | None) -> Tensor:
        """Sum or mean over samples."""
        ours, labels = self.directions(scores, state)
        distance = 1 - (ours * labels).sum(dim=1)
        counts = state.targets.answerable
        if self.reduction == 'sum':
            return (distance * counts).sum()
        return masked_mean(distance, counts)


@MODELS.register_module()
class AdaptiveHardLoss(DirectionLoss):
    """Squared distance of both directions on the labelled or on the unlabelled clips, the more the
    longer the training lasts.

    The weight in epoch j, counted from 0, is ``(j + 1) * coef``: what is still wrong late is hard
    (equations 8 and 9). On raw scores (``shift_by=None``) unlabelled clips cost the absolute score
    (eq. 8) and labelled ones the squared distance of score and label (eq. 9), with the label as a
    share of the highest of its video, since the paper does not say in which unit.

    Args:
        clips: ``'positive'``: clips with a label above 0, or ``'negative'``: the others.
        coef: Weight of the first epoch.
        shift_by, weight: See :class:`DirectionLoss`.
    """

    def __init__(
        self,
        clips: Literal['positive', 'negative'],
        coef: float = 10.0,
        shift_by: Literal['sample', 'batch'] | None = 'sample',
        weight: float = 1.0,
    ) -> None:
        super().__init__(shift_by, weight)
        self.clips = clips
        self.coef = coef

    def compute(self, scores: Tensor, state: GroundingState, negative: Tensor | None) -> Tensor:
        """Sum over the chosen clips divided by the number of all clips of the batch."""
        labelled = state.targets.saliency > 0
        chosen = labelled if self.clips == 'positive' else ~labelled
        if self.shift_by is None:
            distance = self._raw_distance(scores, state) * state.video_mask
        else:
            ours, labels = self.directions(scores, state)
            distance = (ours - labels).square()
        total = (distance * chosen).sum()
        return (state.progress.epoch + 1) * self.coef * total / self.counted(state).sum()

    def _raw_distance(self, scores: Tensor, state: GroundingState) -> Tensor:
        """Cost ``(B, L)`` of every clip in equation 8 or 9."""
        if self.clips == 'negative':
            return scores.abs()
        labels = state.targets.saliency.to(scores.dtype)
        return (scores - labels / labels.amax(dim=1, keepdim=True).clamp(min=1e-6)).square()
