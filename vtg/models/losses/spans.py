# SPDX-License-Identifier: Apache-2.0
"""Losses on the spans that moment heads predict."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.registry import MODELS
from vtg.structures import GroundingState, generalized_iou_aligned, xx_to_cxw
from vtg.utils import check_choice

from .assigned import AssignedPredictions
from .moment import MomentLoss

ON = ('centre_width', 'centre', 'width', 'ends', 'offsets')


class SpanDistanceLoss(MomentLoss):
    """Base class of distances between the numbers that make up spans.

    Args:
        on: What is compared: ``'centre_width'``, one of both (``'centre'``, ``'width'``),
            ``'ends'``, or ``'offsets'`` from a point.
        reduction: ``'mean'`` or ``'sum'`` over the two numbers of a span; over the assigned entries
            of the batch it is a mean.
        weight: Factor of the term.
    """

    def __init__(
        self,
        on: Literal['centre_width', 'centre', 'width', 'ends', 'offsets'] = 'centre_width',
        reduction: Literal['mean', 'sum'] = 'mean',
        weight: float = 1.0,
    ) -> None:
        super().__init__(weight)
        name = type(self).__name__
        self.on = check_choice(on, ON, f'{name}: on')
        self.reduction = check_choice(reduction, ('mean', 'sum'), f'{name}: reduction')
        self.needs = ('offsets',) if on == 'offsets' else ()

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`."""
        if self.on == 'offsets':
            assert assigned.offsets is not None and assigned.wanted_offsets is not None
            found, wanted = assigned.offsets, assigned.wanted_offsets
        else:
            found, wanted = assigned.as_ends if self.on == 'ends' else assigned.as_centre_width
        if self.on in ('centre', 'width'):
            part = slice(0, 1) if self.on == 'centre' else slice(1, 2)
            found, wanted = found[..., part], wanted[..., part]
        distance = self.distance(found, wanted)
        reduced = distance.sum(dim=-1) if self.reduction == 'sum' else distance.mean(dim=-1)
        return assigned.span_mean(reduced)

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Distance of every number, of the same shape."""
        raise NotImplementedError


@MODELS.register_module()
class L1SpanLoss(SpanDistanceLoss):
    """Absolute distance (Moment-DETR, Lei et al., 2021, eq. 2)."""

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        """See :class:`SpanDistanceLoss`."""
        return F.l1_loss(found, wanted, reduction='none')


@MODELS.register_module()
class SmoothL1SpanLoss(SpanDistanceLoss):
    """Absolute distance, squared below 1 (Girshick, "Fast R-CNN", 2015, eq. 3)."""

    def distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        """See :class:`SpanDistanceLoss`."""
        return F.smooth_l1_loss(found, wanted, reduction='none')


@MODELS.register_module()
class GIoUSpanLoss(MomentLoss):
    """One minus the generalised overlap (Rezatofighi et al., 2019, along time).

    Args:
        eps: Added to union and hull, in the unit of the spans.
        weight: Factor of the term.
    """

    def __init__(self, eps: float = 1e-6, weight: float = 1.0) -> None:
        super().__init__(weight)
        self.eps = eps

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`."""
        spans, wanted = assigned.as_ends
        if assigned.ends:  # a coder may put the end before the start
            start, end = spans.unbind(-1)
            spans = torch.stack((start, torch.maximum(start, end)), dim=-1)
        return assigned.span_mean(1 - generalized_iou_aligned(spans, wanted, self.eps))


@MODELS.register_module()
class ReferenceOffsetLoss(MomentLoss):
    """Penalty of corrections of a reference beyond a margin, at most 1 (SG-DETR, arXiv 2410.01615).

    Args:
        part: What is corrected: ``'centre'`` or ``'width'``.
        margin: Corrections up to this cost nothing.
        weight: Factor of the term.
    """

    needs = ('references',)

    def __init__(
        self, part: Literal['centre', 'width'], margin: float = 0.1, weight: float = 1.0
    ) -> None:
        super().__init__(weight)
        self.part = check_choice(part, ('centre', 'width'), 'ReferenceOffsetLoss: part')
        self.margin = margin

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`."""
        assert assigned.references is not None
        offset = assigned.spans - assigned.references
        if assigned.ends:
            offset = xx_to_cxw(offset)
        offset = offset[..., 0 if self.part == 'centre' else 1].abs()
        return assigned.positive_mean((offset - self.margin).clamp(0, 1))
