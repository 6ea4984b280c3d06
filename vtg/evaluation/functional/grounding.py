# SPDX-License-Identifier: Apache-2.0
"""The evaluation of own data: moments, and highlights where clips are graded."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from vtg.utils import DataError, shown

from .highlights import evaluate_highlights
from .moment_retrieval import LENGTH_RANGES, has_windows
from .padding import RecordError
from .qvhighlights import round_percent
from .records import match_records
from .retrieval import evaluate_moment_retrieval

# QVHighlights' ranges, without the end that the length of its videos sets.
OPEN_RANGES: dict[str, tuple[float, float] | None] = {**LENGTH_RANGES, 'long': (30, math.inf)}


def evaluate_grounding(
    predictions: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    *,
    rounded: bool = True,
    recall5: bool = False,
    ranges: Mapping[str, Sequence[float] | None] = OPEN_RANGES,
    subset_ok: bool = False,
) -> dict[str, Any]:
    """Evaluate moments and clip scores of any clip length.

    The numbers for moments are those of :func:`evaluate_moment_retrieval`. Annotations with
    ``saliency``, one grade from 0 to 4 per clip, add mAP and HIT@1 of QVHighlights for clips graded
    at least 2 (``HL-min-Fair``), 3 and 4, over the graded queries.

    Args:
        predictions: Records with ``pred_relevant_windows`` and, if the first has them,
            ``pred_saliency_scores``.
        annotations: Records with ``relevant_windows`` in seconds, ``saliency`` or both.
        rounded, recall5, ranges, subset_ok: See :func:`evaluate_moment_retrieval`.

    Returns:
        The nested result, with ``brief``; only the keys of what is annotated.

    Raises:
        DataError: The queries differ or repeat, a record is malformed, or none is labelled.
    """
    predicted, annotated = match_records(predictions, annotations, subset_ok)
    result: dict[str, Any] = {'brief': {}}
    if has_windows(annotated):
        result = evaluate_moment_retrieval(
            predicted, annotated, rounded=False, recall5=recall5, ranges=ranges
        )
    graded = [
        (prediction, graded_clips(annotation))
        for prediction, annotation in zip(predicted, annotated)
        if 'pred_saliency_scores' in predictions[0] and annotation.get('saliency')
    ]
    if graded:
        # One unit of time per clip: the grades say how many there are.
        scored, labels = zip(*graded)
        highlights = evaluate_highlights(scored, labels, clip_length=1.0)
        result |= highlights
        result['brief'] |= {
            f'{grade}-{name}': values[f'HL-{name}']
            for grade, values in highlights.items()
            for name in ('mAP', 'Hit1')
        }
    if not result['brief']:
        raise DataError(
            'nothing can be evaluated: no annotation has windows, and none has `saliency` for '
            'predictions with `pred_saliency_scores`; use a labelled split.'
        )
    return round_percent(result) if rounded else result


def graded_clips(annotation: dict[str, Any]) -> dict[str, Any]:
    """The annotation in the fields of QVHighlights, with one annotator."""
    grades = annotation['saliency']
    if not isinstance(grades, list):
        raise RecordError(
            annotation['qid'], 'saliency', f'is {shown(grades)}; expected one grade per clip.'
        )
    return {
        'qid': annotation['qid'],
        'duration': len(grades),
        'relevant_clip_ids': list(range(len(grades))),
        'saliency_scores': [[grade] for grade in grades],
    }
