# SPDX-License-Identifier: Apache-2.0
"""Recall of the first windows, and DiDeMo's ranks, as MMEngine metrics."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from vtg.evaluation.functional import evaluate_chunk_ranking, evaluate_recall, has_windows
from vtg.registry import METRICS
from vtg.structures import Quantity
from vtg.utils import Record, check_choice

from .base import RecordMetric
from .lists import FIELDS, warn_unusual

_NLQ = {'ranks': (1, 3, 5), 'thresholds': (0.3, 0.5), 'strict': True, 'prefix': 'NLQ'}


@METRICS.register_module()
class RecallMetric(RecordMetric):
    """``recall/R1@0.5``, ``recall/R5@0.5``, ``recall/mR1``, ``recall/mIoU``, for any k.

    See :func:`vtg.evaluation.functional.evaluate_recall`. Ego4D-NLQ is ``ranks=(1, 3, 5),
    thresholds=(0.3, 0.5), strict=True``, by convention under ``prefix='NLQ'``.

    Args:
        ranks: The k.
        thresholds: IoU that a hit has.
        strict: The IoU must exceed its threshold.
        discounted: Add ``dR1@t`` of Charades-CD.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'recall'
    fields = FIELDS
    fill = False
    qualified = True
    benchmarks: ClassVar = {
        'recall': {},
        'nlq': _NLQ,
        'ego4d_nlq': _NLQ,
        'charades_cd': {'discounted': True},
        'charades_cg': {},
        'mad': {'ranks': (1, 5, 10, 50), 'thresholds': (0.1, 0.3, 0.5)},
        'timelens': {'ranks': (1,)},
        'tvgbench': {'ranks': (1,)},
    }

    def __init__(
        self,
        ranks: Sequence[int] = (1, 5),
        thresholds: Sequence[float] = (0.3, 0.5, 0.7),
        strict: bool = False,
        discounted: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ranks, self.thresholds = tuple(ranks), tuple(thresholds)
        self.strict, self.discounted = strict, discounted

    @property
    def quantities(self) -> Sequence[Quantity]:
        """See :class:`RecordMetric`."""
        names = [f'R{k}@{t:g}' for k in self.ranks for t in self.thresholds]
        names += [f'dR1@{t:g}' for t in self.thresholds if self.discounted]
        names += [*(f'mR{k}' for k in self.ranks), 'mIoU']
        shown = [f'R{k}@{t:g}' for k in self.ranks[:1] for t in self.thresholds]
        shown += [f'mR{k}' for k in self.ranks] + ['mIoU']
        return [Quantity(name, headline=name in shown) for name in names]

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether a query has moments."""
        return has_windows(annotations)

    def evaluate_list(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """See :func:`vtg.evaluation.functional.evaluate_recall`."""
        return evaluate_recall(
            predictions, annotations, rounded=False, ranks=self.ranks,
            thresholds=self.thresholds, strict=self.strict, discounted=self.discounted,
        )  # fmt: skip

    def remark(self) -> None:
        """Log windows that no working model predicts."""
        warn_unusual(self.predictions, self.annotations)


@METRICS.register_module()
class DiDeMoMetric(RecordMetric):
    """``DiDeMo/Rank@1``, ``DiDeMo/Rank@5`` and ``DiDeMo/mIoU`` over three annotators.

    See :func:`vtg.evaluation.functional.evaluate_chunk_ranking`. Annotations need ``times`` and
    ``num_segments``.

    Args:
        ranks: The k.
        ranking: How windows become a ranking of moments: ``'auto'``, ``'list'`` or ``'iou'``.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'DiDeMo'
    fields = FIELDS
    fill = False
    qualified = True
    benchmarks: ClassVar = {'didemo': {}}

    def __init__(
        self,
        ranks: Sequence[int] = (1, 5),
        ranking: Literal['auto', 'list', 'iou'] = 'auto',
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ranks = tuple(ranks)
        check_choice(ranking, ('auto', 'list', 'iou'), f'ranking of {type(self).__name__}')
        self.ranking: Literal['auto', 'list', 'iou'] = ranking

    @property
    def quantities(self) -> Sequence[Quantity]:
        """See :class:`RecordMetric`."""
        names = [*(f'Rank@{k}' for k in self.ranks), 'mIoU']
        return [Quantity(name, headline=True) for name in names]

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether a query has the moments of annotators."""
        return any(record.get('times') for record in annotations)

    def evaluate_list(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """See :func:`vtg.evaluation.functional.evaluate_chunk_ranking`."""
        return evaluate_chunk_ranking(
            predictions, annotations, rounded=False, ranks=self.ranks, ranking=self.ranking
        )
