# SPDX-License-Identifier: Apache-2.0
"""What the references of decoder queries mean: numbers in [0, 1] that stand for a span.

A decoder owns the coder and corrects references of its ``size``; a query source gives references of
that width; the head turns what it predicts on top of them into spans.
"""

import torch
from torch import Tensor

from vtg.models.layers.functional import inverse_sigmoid
from vtg.registry import TASK_UTILS
from vtg.structures import cxw_to_xx, xx_to_cxw


class ReferenceCoder:
    """Base class of coders.

    Attributes:
        size: Numbers per reference, R.
    """

    size: int

    def spans(self, references: Tensor) -> Tensor:
        """Centre and width ``(..., 2)``, as fractions of the video, of references ``(..., R)``."""
        raise NotImplementedError

    def from_spans(self, spans: Tensor) -> Tensor:
        """References ``(..., R)`` of spans ``(..., 2)``, centre and width."""
        raise NotImplementedError

    def logits(self, references: Tensor | None, correction: Tensor) -> Tensor:
        """Logits ``(..., R)`` of references that are corrected; None has none to correct."""
        return correction if references is None else correction + inverse_sigmoid(references)


@TASK_UTILS.register_module()
class CentreWidthCoder(ReferenceCoder):
    """A reference is centre and width (Liu et al., "DAB-DETR", 2022, along time)."""

    size = 2

    def spans(self, references: Tensor) -> Tensor:
        """See :class:`ReferenceCoder`."""
        return references

    def from_spans(self, spans: Tensor) -> Tensor:
        """See :class:`ReferenceCoder`."""
        return spans


@TASK_UTILS.register_module()
class PointDistancesCoder(ReferenceCoder):
    """A reference is a point and its distances from start and end, so that a boundary moves without
    the other."""

    size = 3

    def spans(self, references: Tensor) -> Tensor:
        """See :class:`ReferenceCoder`."""
        point, before, after = references.unbind(-1)
        return xx_to_cxw(torch.stack((point - before, point + after), dim=-1))

    def from_spans(self, spans: Tensor) -> Tensor:
        """See :class:`ReferenceCoder`; the point is the centre."""
        start, end = cxw_to_xx(spans).unbind(-1)
        point = spans[..., 0]
        return torch.stack((point, point - start, end - point), dim=-1)
