# SPDX-License-Identifier: Apache-2.0
"""The evaluation of data for moment retrieval alone: Charades-STA, TACoS and the like."""

from collections.abc import Mapping, Sequence
from typing import Any

from vtg.utils import DataError

from .moment_retrieval import (
    LENGTH_RANGES,
    WIDE_R1_THRESHOLDS,
    evaluate_moments,
    has_windows,
)
from .qvhighlights import round_percent
from .records import match_records


def evaluate_moment_retrieval(
    predictions: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    *,
    rounded: bool = True,
    recall5: bool = False,
    ranges: Mapping[str, Sequence[float] | None] = LENGTH_RANGES,
    subset_ok: bool = False,
) -> dict[str, Any]:
    """Evaluate predicted windows against annotated ones, both in the official record formats.

    The numbers are those of CG-DETR's evaluator (Moon et al., 2023): R@1 at IoU 0.3, 0.5 and 0.7
    is what the literature on Charades-STA and TACoS prints as "R@1, IoU=m".

    Args:
        predictions: Records with ``pred_relevant_windows`` ``[[start_s, end_s, score], ...]``.
        annotations: Records with ``relevant_windows`` in seconds.
        rounded: Round every number to two decimals as the official evaluator does.
        recall5: Add R@5, as UniVTG and R2-Tuning report.
        ranges: Name to ``(low, high)`` in seconds of the annotated windows, or None for all of
            them; ``full`` is required. Windows longer than 150 s count in ``full`` only.
        subset_ok: Evaluate the queries that both sides have, instead of refusing a difference.

    Returns:
        A nested dict,
        ``{'brief': {'MR-full-R1@0.5': ..., 'MR-full-mIoU': ..., 'MR-full-mAP': ...}, 'full':
        {'MR-mIoU': ..., 'MR-mAP': {...}, 'MR-R1': {...}}, ...}`` in per cent; NaN where a range
        has no annotated window.

    Raises:
        DataError: The queries differ or repeat, a record is malformed, or none is labelled.
    """
    predicted, annotated = match_records(predictions, annotations, subset_ok)
    if not has_windows(annotated):
        raise DataError('no annotation has `relevant_windows`; use a labelled split.')
    r5 = WIDE_R1_THRESHOLDS if recall5 else ()
    results = evaluate_moments(predicted, annotated, WIDE_R1_THRESHOLDS, True, ranges, r5)
    full = results['full']
    brief = {f'MR-{name}-mAP': values['MR-mAP']['average'] for name, values in results.items()}
    brief |= {f'MR-full-mAP@{t}': full['MR-mAP'][t] for t in ('0.5', '0.75')}
    for rank in ('R1', 'R5') if recall5 else ('R1',):
        brief |= {f'MR-full-{rank}@{t}': full[f'MR-{rank}'][t] for t in ('0.3', '0.5', '0.7')}
    brief['MR-full-mIoU'] = full['MR-mIoU']
    result = {'brief': dict(sorted(brief.items())), **dict(sorted(results.items()))}
    return round_percent(result) if rounded else result
