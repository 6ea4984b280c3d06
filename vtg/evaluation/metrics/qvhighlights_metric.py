# SPDX-License-Identifier: Apache-2.0
"""The QVHighlights evaluation as an MMEngine metric."""

import logging
from typing import Any

import torch
from mmengine.logging import print_log

from vtg.evaluation.functional import (
    evaluate_qvhighlights,
    has_windows,
    official_record,
    pad_rows,
    survey_predictions,
)
from vtg.evaluation.functional.survey import REVERSED, UNSORTED
from vtg.registry import METRICS, TASK_UTILS
from vtg.structures import MomentList
from vtg.utils import DataError

from .base import Record, RecordMetric

WINDOWS = 'pred_relevant_windows'
WARNED = (REVERSED, UNSORTED)


@METRICS.register_module()
class QVHighlightsMetric(RecordMetric):
    """Moment retrieval and highlight detection with the official numbers of QVHighlights.

    Keys are ``qvhighlights/<name>`` with the names of the official brief result, for example
    ``qvhighlights/MR-full-mAP`` and ``qvhighlights/HL-min-VeryGood-Hit1``. Every further list of
    windows (``alternatives`` of a prediction, and ``nms``) adds the MR names with the list's name
    behind them: ``qvhighlights/MR-full-mAP-detr``. Annotations without saliency give MR only. A
    split without labels gives ``{}``; its predictions are kept all the same.

    Records are keyed by qid, so that samples repeated by a distributed sampler count once.

    Attributes, set by each evaluation in the main process:
        predictions: Official records of the main list, in the order of the data.
        alternatives: The same per further list.
        details: The nested official result per list, the main one under ``'main'``; unrounded.

    Args:
        alternatives: Also evaluate ``alternatives`` of the predictions.
        nms: Config of a task module from a moment list to a moment list, for example
            ``dict(type='TemporalNMS', iou_threshold=0.7)``; the main list after it is evaluated
            as the further list ``nms``. The main list stays as it is.
        extended: Add mIoU and R@1 at IoU 0.3.
        kwargs: See :class:`RecordMetric`.
    """

    default_prefix = 'qvhighlights'

    def __init__(
        self,
        alternatives: bool = True,
        nms: dict[str, Any] | None = None,
        extended: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_alternatives = alternatives
        self.nms: Any = TASK_UTILS.build(nms) if nms else None
        self.extended = extended
        self.alternatives: dict[str, list[Record]] = {}

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """Turn the collected records into metrics (plain floats, per cent)."""
        raw, annotations = self.take(results)
        self.alternatives = self._alternatives(raw)
        if not self.labelled(annotations):
            print_log(
                f'{len(raw)} queries without labels: predictions are kept, nothing is evaluated.',
                logger='current',
                level=logging.INFO,
            )
            return {}
        metrics = self._evaluate('main', self.predictions, annotations, suffix='')
        self._warn(annotations)
        if has_windows(annotations):
            for name, records in self.alternatives.items():
                metrics |= self._evaluate(name, records, annotations, suffix=f'-{name}')
        return metrics

    def labelled(self, annotations: list[Record]) -> bool:
        """Whether there is anything to compare with."""
        return has_windows(annotations) or any(r.get('saliency_scores') for r in annotations)

    def _evaluate(
        self, name: str, predictions: list[Record], annotations: list[Record], suffix: str
    ) -> dict[str, float]:
        result = self.nested(predictions, annotations)
        self.details[name] = result
        # The number to select by is that of the main list.
        values = result['brief'] if suffix else self.finish(result['brief'])
        digits = self.digits
        return {
            f'{key}{suffix}': value if digits is None else float(f'{value:.{digits}f}')
            for key, value in values.items()
        }

    def _warn(self, annotations: list[Record]) -> None:
        """Log what no working model predicts; it would only show as a low number."""
        for text, count in survey_predictions(self.predictions, annotations).items():
            if text in WARNED:
                print_log(f'{text}: {count}', logger='current', level=logging.WARNING)

    def nested(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """The nested official result of one list, unrounded."""
        return evaluate_qvhighlights(
            predictions, annotations, rounded=False, extended=self.extended
        )

    def _alternatives(self, raw: list[Record]) -> dict[str, list[Record]]:
        """Official records without saliency per further list."""
        lists = {}
        if self.use_alternatives and raw:
            for name in raw[0].get('alternatives') or {}:
                lists[name] = [_alternative(record, name) for record in raw]
        if self.nms is not None:
            lists['nms'] = [
                record | {WINDOWS: windows}
                for record, windows in zip(map(_without_saliency, raw), self._suppress(raw))
            ]
        return lists

    def _suppress(self, raw: list[Record]) -> list[list[list[float]]]:
        """Run ``nms`` over the windows of all queries at once."""
        windows, mask = pad_rows([r[WINDOWS] for r in raw], [r['qid'] for r in raw], WINDOWS, 3)
        table = torch.from_numpy(windows)  # (Q, K, 3), float64 as the official evaluator
        kept = self.nms(MomentList(table[..., :2], table[..., 2], torch.from_numpy(mask)))
        rows = torch.cat((kept.spans, kept.scores.unsqueeze(-1)), -1).numpy()
        return [row[real].tolist() for row, real in zip(rows, kept.mask.numpy())]


def _without_saliency(prediction: Record) -> Record:
    record = official_record(prediction)
    record.pop('pred_saliency_scores', None)
    return record


def _alternative(prediction: Record, name: str) -> Record:
    windows = (prediction.get('alternatives') or {}).get(name)
    if windows is None:
        raise DataError(
            f'qid {prediction["qid"]!r} has no result list {name!r} among its alternatives; '
            'every prediction must have the lists of the first.'
        )
    return _without_saliency(prediction) | {WINDOWS: windows}
