# SPDX-License-Identifier: Apache-2.0
"""The QVHighlights evaluation: both tasks, in the official nested format.

The numbers are those of the official evaluator (Lei et al., "QVHighlights: Detecting Moments and
Highlights in Videos via Natural Language Queries", 2021) to the last digit.
"""

import math
from collections.abc import Sequence
from typing import Any

from vtg.utils import DataError

from .highlights import evaluate_highlights
from .moment_retrieval import (
    MAP_THRESHOLDS,
    WIDE_R1_THRESHOLDS,
    evaluate_moments,
    has_windows,
)
from .records import match_records


def evaluate_qvhighlights(
    predictions: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    *,
    rounded: bool = True,
    extended: bool = False,
    subset_ok: bool = False,
) -> dict[str, Any]:
    """Evaluate predictions against annotations, both in the official record formats.

    A task is evaluated if the first prediction has its field (``pred_relevant_windows``,
    ``pred_saliency_scores``) and any annotation has its labels (``relevant_windows``,
    ``saliency_scores``). A query without a moment (``relevant_windows: []``) is left out of moment
    retrieval, where the official evaluator stops, and has no highlight to be found.

    Args:
        predictions: One record per query, windows sorted by falling score.
        annotations: One record per query.
        rounded: Round every number to two decimals as the official evaluator does.
        extended: Add mIoU and R@1 from IoU 0.3, as CG-DETR and its descendants report.
        subset_ok: Evaluate the queries that both sides have, instead of refusing a difference.

    Returns:
        A nested dict,
        ``{'brief': {...}, 'HL-min-Fair': {...}, ..., 'full': {'MR-mAP': {...}, 'MR-R1': {...}},
        'long': ..., 'middle': ..., 'short': ...}`` in per cent; only the keys of evaluated tasks.
        A range of lengths without annotated windows has no value: its numbers are NaN.

    Raises:
        DataError: The queries differ or repeat, a record is malformed, or no task can be
            evaluated.
    """
    first = predictions[0] if predictions else {}
    predicted, annotated = match_records(predictions, annotations, subset_ok)
    moments: dict[str, Any] = {}
    highlights: dict[str, Any] = {}
    if 'pred_relevant_windows' in first and has_windows(annotated):
        thresholds = WIDE_R1_THRESHOLDS if extended else MAP_THRESHOLDS
        moments = evaluate_moments(predicted, annotated, thresholds, miou=extended)
    if 'pred_saliency_scores' in first and any(r.get('saliency_scores') for r in annotated):
        highlights = evaluate_highlights(predicted, annotated)
    if not moments and not highlights:
        raise DataError(
            'nothing can be evaluated: the first prediction needs `pred_relevant_windows` where '
            'the annotations have `relevant_windows`, or `pred_saliency_scores` where they have '
            '`saliency_scores`; check the fields, or use a labelled split.'
        )
    brief = _brief_moments(moments, extended) | _brief_highlights(highlights)
    result = {'brief': brief, **dict(sorted((moments | highlights).items()))}
    return round_percent(result) if rounded else result


def round_percent(value: Any) -> Any:
    """Round every number of a nested dict to two decimals, as ``'%.2f'`` prints it; NaN stays."""
    if isinstance(value, dict):
        return {key: round_percent(item) for key, item in value.items()}
    return value if math.isnan(value) else float(f'{value:.2f}')


def _brief_moments(ranges: dict[str, Any], extended: bool) -> dict[str, float]:
    if not ranges:
        return {}
    full = ranges['full']
    brief = {f'MR-{name}-mAP': values['MR-mAP']['average'] for name, values in ranges.items()}
    brief |= {f'MR-full-mAP@{t}': full['MR-mAP'][t] for t in ('0.5', '0.75')}
    brief |= {f'MR-full-R1@{t}': full['MR-R1'][t] for t in ('0.5', '0.7')}
    if extended:
        brief |= {'MR-full-R1@0.3': full['MR-R1']['0.3'], 'MR-full-mIoU': full['MR-mIoU']}
    return dict(sorted(brief.items()))


def _brief_highlights(grades: dict[str, Any]) -> dict[str, float]:
    return {
        f'{grade}-{short}': values[f'HL-{short}']
        for grade, values in grades.items()
        for short in ('mAP', 'Hit1')
    }
