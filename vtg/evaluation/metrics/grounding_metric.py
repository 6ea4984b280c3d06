# SPDX-License-Identifier: Apache-2.0
"""Moment retrieval and highlight detection on own data, as an MMEngine metric."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from vtg.evaluation.functional import LENGTH_RANGES, evaluate_highlights, official_record
from vtg.registry import METRICS

from .base import Record
from .moment_retrieval_metric import MomentRetrievalMetric

SCORES = 'pred_saliency_scores'
# QVHighlights' ranges, without the end that the length of its videos sets.
OPEN_RANGES = {**LENGTH_RANGES, 'long': (30, math.inf)}


@METRICS.register_module()
class GroundingMetric(MomentRetrievalMetric):
    """R@1, mIoU and mAP of the moments, and the highlights where clips are graded.

    Works for any clip length. The numbers for moments are those of :class:`MomentRetrievalMetric`;
    annotations with ``saliency``, one grade from 0 to 4 per clip, add mAP and HIT@1 of QVHighlights
    for clips graded at least 2 (``HL-min-Fair``), 3 and 4, over the graded queries.

    Args:
        ranges: See :class:`MomentRetrievalMetric`; ``long`` has no upper end by default.
        kwargs: See :class:`MomentRetrievalMetric`.
    """

    default_prefix = 'grounding'

    def __init__(
        self, ranges: Mapping[str, Sequence[float] | None] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(ranges=ranges or OPEN_RANGES, **kwargs)

    def official(self, prediction: Record) -> Record:
        """The record with windows and scores per clip."""
        return official_record(prediction)

    def nested(self, predictions: list[Record], annotations: list[Record]) -> dict[str, Any]:
        """The nested result of one list, unrounded."""
        result = super().nested(predictions, annotations)
        graded = [
            (prediction, _graded_clips(annotation))
            for prediction, annotation in zip(predictions, annotations)
            if SCORES in prediction and annotation.get('saliency')
        ]
        if graded:
            # One unit of time per clip: the grades say how many there are.
            highlights = evaluate_highlights(*map(list, zip(*graded)), clip_length=1.0)
            result |= highlights
            result['brief'] |= {
                f'{grade}-{name}': values[f'HL-{name}']
                for grade, values in highlights.items()
                for name in ('mAP', 'Hit1')
            }
        return result


def _graded_clips(annotation: Record) -> Record:
    """The annotation in the fields of QVHighlights, with one annotator."""
    grades = annotation['saliency']
    return {
        'qid': annotation['qid'],
        'duration': len(grades),
        'relevant_clip_ids': list(range(len(grades))),
        'saliency_scores': [[grade] for grade in grades],
    }
