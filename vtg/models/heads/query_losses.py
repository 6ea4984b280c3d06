# SPDX-License-Identifier: Apache-2.0
"""Losses of moment queries: the matched ones, and extra ones whose targets are known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.base import Component
from vtg.models.task_modules import gather_matched, matched_queries
from vtg.registry import MODELS
from vtg.structures import GroundingTargets, cxw_to_xx, generalized_iou_aligned, iou_aligned
from vtg.utils import ConfigError

SPAN_DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'l1': lambda a, b: F.l1_loss(a, b, reduction='none'),
    'smooth_l1': lambda a, b: F.smooth_l1_loss(a, b, reduction='none'),
}


@dataclass(frozen=True)
class QueryPredictions:
    """Predictions of Q queries by S stages (decoder layers, or the query source).

    Attributes:
        logits: ``(S, B, Q, C)`` class logits.
        spans: ``(S, B, Q, 2)`` centre, width normalised.
        quality: ``(S, B, Q)`` logits of the expected overlap, or None.
        references: ``(S, B, Q, 2)`` the span each prediction corrects, or None.
    """

    logits: Tensor
    spans: Tensor
    quality: Tensor | None = None
    references: Tensor | None = None

    def queries(self, start: int, stop: int) -> 'QueryPredictions':
        """Return the queries ``start`` to ``stop``."""

        def cut(x: Tensor | None) -> Tensor | None:
            return None if x is None else x[:, :, start:stop]

        return QueryPredictions(*map(cut, (self.logits, self.spans, self.quality, self.references)))

    def last(self) -> 'QueryPredictions':
        """Return the predictions of the last stage, ``(B, Q, ·)``."""

        def cut(x: Tensor | None) -> Tensor | None:
            return None if x is None else x[-1]

        return QueryPredictions(*map(cut, (self.logits, self.spans, self.quality, self.references)))


@dataclass(frozen=True)
class ExtraTargets:
    """Targets of queries that were made from moments or anchors.

    Attributes:
        valid: ``(B, Q)`` True where a query is in use.
        positive: ``(B, Q)`` True where it has a moment to find.
        spans: ``(B, Q, 2)`` that moment, centre and width normalised.
    """

    valid: Tensor
    positive: Tensor
    spans: Tensor


def stage_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``values (S, ...)`` per stage where ``mask (S, ...)`` is True: ``(S,)``."""
    mask = mask.expand_as(values)
    total = torch.where(mask, values, values.new_zeros(())).flatten(1).sum(dim=1)
    return total / mask.flatten(1).sum(dim=1).clamp(min=1)


class TermWeights(TypedDict, total=False):
    """Weights of the terms of :class:`QuerySetLoss`."""

    span: float
    giou: float
    label: float
    quality: float
    centre_offset: float
    width_offset: float


class StageWeights(TypedDict, total=False):
    """Factors of the stages before the last layer."""

    layers: float
    proposals: float


class ExtraWeights(TypedDict, total=False):
    """Factors of the kinds of extra queries."""

    collab: float
    denoising: float


class Margins(TypedDict, total=False):
    """Corrections of a reference, as fractions of the video, that cost nothing."""

    centre_offset: float
    width_offset: float


@MODELS.register_module()
class QuerySetLoss(Component):
    """The losses of DETR for moments (Moment-DETR, Lei et al., 2021, eq. 2 and 3).

    All means run over the whole batch. A weight of 0 removes a term.

    Args:
        class_loss: Config of the classification loss.
        weights: Weight of ``span``, ``giou``, ``label`` and, with a quality head, ``quality``;
            ``centre_offset`` and ``width_offset`` penalise corrections of a reference beyond a
            margin.
        span_distance: ``'l1'`` or ``'smooth_l1'`` (beta 1), on centre and width.
        giou_eps: Added to union and hull.
        quality_targets: ``'positive'``: quality is learned on matched queries only; ``'all'``: the
            others learn 0 with a tenth of the weight.
        stage_weights: Factor per kind of stage: ``layers`` (all decoder layers but the last),
            ``proposals`` (the query source).
        extra_weights: Factor per kind of extra query, e.g. ``collab``.
        margins: Corrections up to this cost nothing, for ``centre_offset`` and ``width_offset``.
    """

    slot = 'query_loss'

    def __init__(
        self,
        class_loss: dict,
        weights: TermWeights,
        span_distance: Literal['l1', 'smooth_l1'] = 'l1',
        giou_eps: float = 1e-6,
        quality_targets: Literal['positive', 'all'] = 'positive',
        stage_weights: StageWeights | None = None,
        extra_weights: ExtraWeights | None = None,
        margins: Margins | None = None,
    ) -> None:
        super().__init__()
        if span_distance not in SPAN_DISTANCES:
            raise ConfigError(
                f'QuerySetLoss: span_distance must be one of {sorted(SPAN_DISTANCES)}, '
                f'got {span_distance!r}.'
            )
        self.class_loss = MODELS.build(class_loss)
        self.weights = dict(weights)
        self.distance = SPAN_DISTANCES[span_distance]
        self.giou_eps = giou_eps
        self.quality_targets = quality_targets
        self.stage_weights = {'layers': 1.0, 'proposals': 0.5, **(stage_weights or {})}
        self.margins = {'centre_offset': 0.1, 'width_offset': 0.15, **(margins or {})}
        self.extra_weights = {'collab': 0.5, 'denoising': 0.5, **(extra_weights or {})}

    def check_fit(self, quality: bool, references: bool) -> None:
        """Check that the head gives what the weighted terms compare, and that all it gives learns.

        Args:
            quality: Whether the head predicts the overlap.
            references: Whether its queries are spans that it corrects.

        Raises:
            ConfigError: A term would be left out in silence, or a prediction has no term.
        """
        offsets = [name for name in self.margins if self.weights.get(name)]
        if offsets and not references:
            raise ConfigError(
                f'QuerySetLoss: weights.{offsets[0]} compares moments with the references of the '
                f'queries, but learned slots have none; set weights.{offsets[0]}=0 or use '
                'LearnedQueries and SpanDecoder.'
            )
        # All weights of 0 switch the head off where data rate clips only.
        if quality and any(self.weights.values()) and not self.weights.get('quality'):
            raise ConfigError(
                'QuerySetLoss: the head predicts a quality that enters its scores, but nothing '
                'trains it; set weights.quality, for example to 1.0, or quality=False in the head.'
            )

    def forward(  # type: ignore[override]
        self,
        predictions: QueryPredictions,
        targets: GroundingTargets,
        query_index: Tensor,
        query_mask: Tensor,
        with_proposals: bool,
    ) -> dict[str, Tensor]:
        """Return the weighted losses of matched predictions.

        Args:
            predictions: Of S stages; the first is the query source if ``with_proposals``.
            targets: Targets of the batch.
            query_index: ``(S, B, G)`` matched query of every moment, -1 for none.
            query_mask: ``(B, Q)`` True where a query may be a prediction.
            with_proposals: See above.
        """
        matched = query_index >= 0
        spans = gather_matched(predictions.spans, query_index)
        wanted = targets.spans.expand_as(spans)
        overlap = iou_aligned(cxw_to_xx(spans), cxw_to_xx(wanted), 1e-7).detach().clamp(0, 1)
        giou = generalized_iou_aligned(cxw_to_xx(spans), cxw_to_xx(wanted), self.giou_eps)

        is_matched = matched_queries(query_index, predictions.spans.shape[2])
        terms = {
            'span': stage_mean(self.distance(spans, wanted), matched.unsqueeze(-1)),
            'giou': stage_mean(1 - giou, matched),
            'label': stage_mean(self.class_loss(predictions.logits, is_matched), query_mask),
        }
        if predictions.quality is not None:
            terms['quality'] = self._quality(
                predictions.quality, query_index, matched, is_matched, overlap, query_mask
            )
        losses = self._named(terms, with_proposals, '')
        # The proposals correct no reference, so this one looks at the decoder layers only.
        first = int(with_proposals)
        layers = self._offsets(predictions, query_index)
        if layers:
            losses |= self._named({k: v[first:] for k, v in layers.items()}, False, '')
        return losses

    def _quality(
        self,
        quality: Tensor,
        query_index: Tensor,
        matched: Tensor,
        is_matched: Tensor,
        overlap: Tensor,
        query_mask: Tensor,
    ) -> Tensor:
        """Cross-entropy of the quality with the overlap that was reached: ``(S,)``."""
        bce = F.binary_cross_entropy_with_logits
        if self.quality_targets == 'positive':
            chosen = quality.gather(-1, query_index.clamp(min=0))
            return stage_mean(bce(chosen, overlap.to(quality.dtype), reduction='none'), matched)
        target = torch.zeros_like(quality)
        target.scatter_add_(-1, query_index.clamp(min=0), (overlap * matched).to(quality.dtype))
        weight = torch.where(is_matched, 1.0, 0.1)
        return stage_mean(bce(quality, target, reduction='none') * weight, query_mask)

    def _offsets(self, predictions: QueryPredictions, query_index: Tensor) -> dict[str, Tensor]:
        """Penalties of large corrections of the references of matched queries."""
        names = [name for name in self.margins if self.weights.get(name, 0)]
        if not names or predictions.references is None:
            return {}
        offset = gather_matched(predictions.spans - predictions.references, query_index).abs()
        matched = query_index >= 0
        return {
            name: stage_mean((offset[..., i] - margin).clamp(0, 1), matched)
            for i, (name, margin) in enumerate(self.margins.items())
            if name in names
        }

    def extra(
        self, kind: str, predictions: QueryPredictions, targets: ExtraTargets, distance: str
    ) -> dict[str, Tensor]:
        """Return the weighted losses of extra queries.

        Args:
            kind: ``'collab'`` or ``'denoising'``; names the losses.
            predictions: ``(S, B, Q, ·)`` of the decoder layers.
            targets: What they should find.
            distance: ``'ends'``: L1 on start and end; ``'centre_width'``: smooth L1 on centre and
                width.
        """
        positive = targets.positive & targets.valid
        spans, wanted = predictions.spans, targets.spans.expand_as(predictions.spans)
        giou = generalized_iou_aligned(cxw_to_xx(spans), cxw_to_xx(wanted), self.giou_eps)
        label = F.binary_cross_entropy_with_logits(
            self.class_loss.log_odds(predictions.logits),
            positive.to(predictions.logits.dtype).expand(predictions.logits.shape[:-1]),
            reduction='none',
        )
        if distance == 'ends':
            span = SPAN_DISTANCES['l1'](cxw_to_xx(spans), cxw_to_xx(wanted))
        else:
            span = SPAN_DISTANCES['smooth_l1'](spans, wanted)
        factor = self.extra_weights[kind]
        terms = {
            'label': factor * stage_mean(label, targets.valid),
            'span': factor * stage_mean(span, positive.unsqueeze(-1)),
            'giou': factor * stage_mean(1 - giou, positive),
        }
        return self._named(terms, False, f'{kind}_')

    def _named(
        self, terms: dict[str, Tensor], with_proposals: bool, prefix: str
    ) -> dict[str, Tensor]:
        """Weigh the terms ``(S,)`` and name them by stage: the last layer has no suffix."""
        losses = {}
        for name, per_stage in terms.items():
            weight = self.weights.get(name, 0.0)
            if weight == 0:
                continue
            stages = list((weight * per_stage).unbind())
            if with_proposals:
                losses[f'loss_proposal_{name}'] = self.stage_weights['proposals'] * stages.pop(0)
            losses[f'loss_{prefix}{name}'] = stages.pop()
            for layer, value in enumerate(stages):
                losses[f'loss_{prefix}{name}_{layer}'] = self.stage_weights['layers'] * value
        return losses
