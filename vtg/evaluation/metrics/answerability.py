# SPDX-License-Identifier: Apache-2.0
"""Metrics of data where a query may have no moment, as MMEngine metrics."""

import logging
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from mmengine.logging import print_log

from vtg.evaluation.functional import evaluate_generalized, evaluate_unanswerable, has_windows
from vtg.evaluation.functional.matching import EXISTENCE, WINDOWS
from vtg.evaluation.functional.unanswerable import ANSWERED, USUAL_THRESHOLD
from vtg.registry import METRICS
from vtg.structures import Quantity
from vtg.utils import Record, check_choice

from .base import RecordMetric
from .lists import FIELDS

REJECT_ALL = 'reject every query'


class _AnswerabilityMetric(RecordMetric):
    """What both have in common: empty lists stay empty, and rejecting everything is shown."""

    fields = FIELDS
    fill = False
    empty_is_answer = True
    qualified = True

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether moments are annotated, if only as none."""
        return has_windows(annotations)

    def constant_predictions(self, annotations: list[Record]) -> dict[str, list[Record]]:
        """Reject every query, which scores high where many have no moment."""
        nothing = {WINDOWS: [], EXISTENCE: 0.0, ANSWERED: False}
        return {REJECT_ALL: [{'qid': record['qid'], **nothing} for record in annotations]}

    def _say(self, text: str) -> None:
        print_log(text, logger='current', level=logging.INFO)

    def remark(self) -> None:
        """Log what rejecting every query would score in the numbers that are shown first."""
        values = self.baselines[REJECT_ALL]
        shown = [q.name for q in self.quantities if q.headline and q.name in values]
        numbers = ', '.join(f'{name} {values[name]:.2f}' for name in shown)
        self._say(f'For comparison, to reject every query scores {numbers}.')


@METRICS.register_module()
class GeneralizedRetrievalMetric(_AnswerabilityMetric):
    """``GMR/Rej-F1``, ``AUROC``, ``mAP``, ``mR@k``, ``mR+@k``, ``G-mIoU@k`` of Soccer-GMR.

    See :func:`vtg.evaluation.functional.evaluate_generalized`.

    Args:
        ranks: The k.
        thresholds: Of the existence score, for Rej-F1 and Acc; ``Rej-F1`` is that at the first.
        gate_threshold: Of the existence score, for G-mIoU.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'GMR'
    benchmarks: ClassVar = {'gmr': {}, 'soccer_gmr': {}}

    def __init__(
        self,
        ranks: Sequence[int] = (1, 3, 5),
        thresholds: Sequence[float] = (0.4, 0.6),
        gate_threshold: float = 0.4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ranks, self.thresholds = tuple(ranks), tuple(thresholds)
        self.gate_threshold = gate_threshold

    @property
    def quantities(self) -> Sequence[Quantity]:
        """See :class:`RecordMetric`."""
        names = ['AUROC', 'Rej-F1', 'mAP']
        names += [f'{name}@{k}' for name in ('mR', 'mR+', 'G-mIoU') for k in self.ranks]
        names += [f'{name}@{t:g}' for t in self.thresholds for name in ('Rej-F1', 'Acc')]
        names += [f'{name}@{k}' for name in ('mIoU', 'mIoU+') for k in self.ranks]
        shown = ('AUROC', 'Rej-F1', 'mAP', f'mR@{self.ranks[-1]}', f'G-mIoU@{self.ranks[0]}')
        return [Quantity(name, headline=name in shown) for name in names]

    def evaluate_list(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """See :func:`vtg.evaluation.functional.evaluate_generalized`."""
        return evaluate_generalized(
            predictions, annotations, rounded=False, ranks=self.ranks,
            thresholds=self.thresholds, gate=self.gate_threshold,
        )  # fmt: skip


@METRICS.register_module()
class UnanswerableMetric(_AnswerabilityMetric):
    """``Null/Acc``, ``Null/R1@0.5``, ``Null/mIoU``, ``Null/Rej-F1`` and more, of Charades-RF,
    ActivityNet-RF and NA-VMR.

    See :func:`vtg.evaluation.functional.evaluate_unanswerable`.

    Args:
        threshold: Of the score by which a query is answered. None takes the decision of the
            predictions, else 0.5 for ``pred_exist_score``, else answers where there are windows.
        inclusive: A score equal to the threshold answers (NA-VMR).
        iou_thresholds: Of R1.
        strict: The IoU must exceed its threshold (NA-VMR).
        compat: ``'causalvtg'`` counts R1 and mIoU over ids instead of records, as its evaluator.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'Null'
    benchmarks: ClassVar = {
        'charades_rf': {},
        'activitynet_rf': {},
        'causalvtg': {'compat': 'causalvtg', 'prefix': 'CausalVTG'},
        'na_vmr': {'strict': True, 'inclusive': True, 'prefix': 'NA-VMR'},
    }

    def __init__(
        self,
        threshold: float | None = None,
        inclusive: bool = False,
        iou_thresholds: Sequence[float] = (0.3, 0.5, 0.7),
        strict: bool = False,
        compat: Literal['causalvtg'] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_choice(compat, (None, 'causalvtg'), f'compat of {type(self).__name__}')
        self.threshold, self.inclusive = threshold, inclusive
        self.iou_thresholds, self.strict, self.compat = tuple(iou_thresholds), strict, compat

    @property
    def quantities(self) -> Sequence[Quantity]:
        """See :class:`RecordMetric`."""
        r1 = [f'R1@{t:g}' for t in self.iou_thresholds]
        names = ['Acc', *r1, 'mIoU', 'Acc@null', 'Acc@positive', 'Rej-P', 'Rej-R', 'Rej-F1']
        names += ['AUROC', *(f'{kind}-{name}' for kind in ('Pos', 'Pos-ungated') for name in r1)]
        shown = ('Acc', 'R1@0.5', 'mIoU', 'Rej-F1')
        found = [Quantity(name, headline=name in shown) for name in names]
        return [*found, Quantity('nulls', unit='% of the queries')]

    def evaluate_list(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """See :func:`vtg.evaluation.functional.evaluate_unanswerable`."""
        return evaluate_unanswerable(
            predictions, annotations, rounded=False, threshold=self.threshold,
            inclusive=self.inclusive, iou_thresholds=self.iou_thresholds, strict=self.strict,
            compat=self.compat,
        )  # fmt: skip

    def remark(self) -> None:
        """Log by what a query was answered, and what rejecting every query would score."""
        if self.threshold is not None:
            rule = f'its score exceeds {self.threshold:g}, which the config states'
        elif any(record.get(ANSWERED) is not None for record in self.predictions):
            rule = f'the predictions say so (`{ANSWERED}`)'
        elif any(record.get(EXISTENCE) is not None for record in self.predictions):
            rule = f'`{EXISTENCE}` exceeds {USUAL_THRESHOLD:g}, the usual threshold'
        else:
            rule = f'it has windows, as no prediction has `{EXISTENCE}`'
        self._say(f'A query counts as answered where {rule}.')
        super().remark()
