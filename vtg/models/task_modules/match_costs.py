# SPDX-License-Identifier: Apache-2.0
"""The terms of the matching cost between predictions and moments.

A term gets :class:`MatchInputs` and returns a tensor that broadcasts to ``(..., B, G, Q)``: moments
as rows, queries as columns. Terms add up. ``needs`` names a prediction that not every head gives,
so that a head can refuse the term when it is built.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from vtg.registry import TASK_UTILS
from vtg.structures import cxw_to_xx, generalized_iou_pairwise, in_float32, xx_to_cxw
from vtg.utils import ConfigError, check_choice


@dataclass(frozen=True)
class MatchInputs:
    """Predictions to match, with any leading axes (decoder layers) before the batch.

    Attributes:
        logits: ``(..., B, Q, C)`` class logits.
        spans: ``(..., B, Q, 2)`` centre, width normalised.
        quality: ``(..., B, Q)`` quality logits.
        references: ``(..., B, Q, 2)`` or ``(Q, 2)`` centre, width of each query's reference.
        mask: ``(B, Q)`` True where a query may be matched, None for all. The values of others are
            ignored and may be infinite.
        pairs: ``(B, G, Q)`` True where a moment may be matched with a query, None for all.
    """

    logits: Tensor | None = None
    spans: Tensor | None = None
    quality: Tensor | None = None
    references: Tensor | None = None
    mask: Tensor | None = None
    pairs: Tensor | None = None

    def get(self, name: str, term: object) -> Tensor:
        """Return a field in at least float32 and without gradient, or say which term misses it."""
        value = getattr(self, name)
        if value is None:
            raise ConfigError(
                f'matcher cost {type(term).__name__} needs the predicted {name}, which this moment '
                'head does not give; remove the cost from the matcher or add that output.'
            )
        return in_float32(value.detach())

    def not_finite(self) -> str:
        """Name the fields that hold NaN or infinity and the first sample of the batch affected."""
        found = []
        for name in ('logits', 'spans', 'quality', 'references'):
            value = getattr(self, name)
            if value is None:
                continue
            finite = value.isfinite() if name == 'quality' else value.isfinite().all(-1)
            if self.mask is not None:
                finite = finite | ~self.mask
            if finite.all():
                continue
            samples = (~finite).nonzero()[:, finite.ndim - 2] if finite.ndim > 1 else None
            sample = '' if samples is None else f' (first in sample {int(samples.min())})'
            found.append(f'predicted {name}{sample}')
        return ' and '.join(found)


def _ends(spans: Tensor, inside: bool) -> Tensor:
    """Start and end of spans, cut to the video where asked."""
    ends = cxw_to_xx(spans)
    return ends.clamp(0, 1) if inside else ends


@TASK_UTILS.register_module()
class L1SpanCost:
    """``weight * (|a - a'| + |b - b'|)`` of the two numbers of normalised spans.

    Args:
        weight: Weight of the term.
        on: What the numbers are: ``'centre_width'``, or ``'ends'``: start and end.
        inside: Cut spans to the video first.
    """

    def __init__(
        self,
        weight: float = 10.0,
        on: Literal['centre_width', 'ends'] = 'centre_width',
        inside: bool = False,
    ) -> None:
        self.weight = weight
        self.on = check_choice(on, ('centre_width', 'ends'), 'L1SpanCost: on')
        self.inside = inside

    def __call__(self, inputs: MatchInputs, gts: Tensor) -> Tensor:
        """``gts (B, G, 2)`` to ``(..., B, G, Q)``."""
        spans = inputs.get('spans', self)
        if self.on == 'ends' or self.inside:
            spans, gts = _ends(spans, self.inside), _ends(gts, self.inside)
        if self.on == 'centre_width' and self.inside:
            spans, gts = xx_to_cxw(spans), xx_to_cxw(gts)
        return self.weight * (gts[..., :, None, :] - spans[..., None, :, :]).abs().sum(-1)


@TASK_UTILS.register_module()
class GIoUCost:
    """``-weight * gIoU``; ``eps`` is added to the union and to the hull.

    Args:
        weight: Weight of the term.
        eps: As above.
        inside: Cut spans to the video first.
    """

    def __init__(self, weight: float = 1.0, eps: float = 1e-6, inside: bool = False) -> None:
        self.weight = weight
        self.eps = eps
        self.inside = inside

    def __call__(self, inputs: MatchInputs, gts: Tensor) -> Tensor:
        """``gts (B, G, 2)`` to ``(..., B, G, Q)``."""
        spans = _ends(inputs.get('spans', self), self.inside)
        return -self.weight * generalized_iou_pairwise(_ends(gts, self.inside), spans, self.eps)


@TASK_UTILS.register_module()
class ClassCost:
    """``-weight * p`` with p the probability of the foreground.

    Args:
        weight: Weight of the term.
        activation: ``'sigmoid'`` for one logit per query, ``'softmax'`` over all classes.
        foreground: Index of the foreground class.
    """

    def __init__(
        self,
        weight: float = 4.0,
        activation: Literal['sigmoid', 'softmax'] = 'sigmoid',
        foreground: int = 0,
    ) -> None:
        self.weight = weight
        self.activation = activation
        self.foreground = foreground

    def __call__(self, inputs: MatchInputs, gts: Tensor) -> Tensor:
        """``(..., B, 1, Q)``."""
        logits = inputs.get('logits', self)
        score = logits.sigmoid() if self.activation == 'sigmoid' else logits.softmax(-1)
        return -self.weight * score[..., None, :, self.foreground]


@TASK_UTILS.register_module()
class QualityCost:
    """``-weight * sigmoid(quality)``, the overlap that the model predicts for itself."""

    needs = 'quality'

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight

    def __call__(self, inputs: MatchInputs, gts: Tensor) -> Tensor:
        """``(..., B, 1, Q)``."""
        return -self.weight * inputs.get('quality', self).sigmoid()[..., None, :]


@TASK_UTILS.register_module()
class ReferenceCost:
    """``weight`` times the distance of a prediction's ends from those of its query's reference."""

    needs = 'references'

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight

    def __call__(self, inputs: MatchInputs, gts: Tensor) -> Tensor:
        """``(..., B, 1, Q)``."""
        spans = cxw_to_xx(inputs.get('spans', self))
        references = cxw_to_xx(inputs.get('references', self))
        return self.weight * (spans - references).square().sum(-1).sqrt()[..., None, :]
