# SPDX-License-Identifier: Apache-2.0
"""Retrieval of several moments per query, as the QV-M2 benchmark measures it (2025).

Its numbers group queries by how many moments they have; see :func:`evaluate_multi_moment`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vtg.utils import Record

from .matching import (
    WINDOWS,
    Windows,
    annotated_windows,
    count_windows,
    greedy_ious,
    predicted_windows,
    query_parts,
    ranked_precision,
)
from .moment_retrieval import LENGTH_RANGES, MAX_WINDOWS, WIDE_R1_THRESHOLDS, iou_matrix
from .qvhighlights import round_percent
from .records import match_records

FORCED = -1.0


def evaluate_multi_moment(
    predictions: Sequence[Record],
    annotations: Sequence[Record],
    *,
    rounded: bool = True,
    ranks: Sequence[int] = (1, 2, 3),
    ranges: Mapping[str, Sequence[float] | None] = LENGTH_RANGES,
    subset_ok: bool = False,
) -> dict[str, Any]:
    """Evaluate retrieval of several moments with the numbers of QV-M2's evaluator.

    ``M`` is how many moments a query has; queries without any are left out.

    * ``G-mAP``: mean over the queries of the AP at IoU 0.5, 0.55, ..., 0.95.
    * ``mAP@1_tgt``, ``mAP@2_tgt``: the same over queries with M = 1, M = 2. ``mAP@3+_tgt``: mean
      over the values of M from 3 of the mean over the queries with that M, as published: a single
      query with 25 moments weighs as much as all with three. ``mAP@3+_queries`` is the plain mean.
    * ``mR@k``: share of the moments that the first k windows find, of at most k per query, mean
      over IoU 0.3, 0.35, ..., 0.95. ``mIoU@k``: mean IoU of the pairs that they make. Only queries
      with at least k moments and k windows count.

    A number without queries is absent. A query without predicted windows has the AP 0.

    Args:
        predictions, annotations, rounded, ranges, subset_ok: See
            :func:`vtg.evaluation.functional.evaluate_moment_retrieval`. The values of R@k are
            rounded to two decimals before their mean in any case, as the official code does.
        ranks: The k of mR@k and mIoU@k.

    Returns:
        A nested dict,
        ``{'brief': {'G-mAP': ...}, 'full': {'MR-mAP': {...}, 'MR-R1': {'0.30': ...}, 'MR-mR1': ...,
        'MR-mIoU@1': ...}, ...}`` in per cent, the ranges with the official names.

    Raises:
        DataError: The queries differ or repeat, or a record is malformed.
    """
    predicted, annotated = match_records(predictions, annotations, subset_ok)
    collected: dict[str, list[_Values]] = {name: [] for name in ranges}
    for part in query_parts(annotated):
        for name, values in _of_part(predicted[part], annotated[part], ranks, ranges).items():
            collected[name].append(values)
    results = {name: _summary(_joined(values), ranks) for name, values in collected.items()}
    result = {'brief': _brief(results['full'], ranks), **results}
    return round_percent(result) if rounded else result


class _Values(NamedTuple):
    """Of the queries that count: moments and windows ``(Q,)``, AP ``(Q, 10)``, IoU of the pairs at
    every threshold ``(Q, 14, K)`` and of forced pairs ``(Q, K)``."""

    moments: np.ndarray
    windows: np.ndarray
    precision: np.ndarray
    pairs: np.ndarray
    forced: np.ndarray


def _of_part(
    predictions: Sequence[Record],
    annotations: Sequence[Record],
    ranks: Sequence[int],
    ranges: Mapping[str, Sequence[float] | None],
) -> dict[str, _Values]:
    most = max(*ranks, MAX_WINDOWS)
    predicted, annotated = predicted_windows(predictions, most), annotated_windows(annotations)
    windows = count_windows(predictions, WINDOWS)
    lengths = annotated.spans[..., 1] - annotated.spans[..., 0]
    results = {}
    for name, limits in ranges.items():
        mask = annotated.mask
        if limits is not None:
            mask = mask & (lengths > limits[0]) & (lengths <= limits[1])
        keep = mask.any(-1)
        mine = Windows(*(part[keep] for part in predicted))
        truth = Windows(annotated.spans[keep], mask[keep], annotated.scores[keep])
        results[name] = _values(mine, truth, windows[keep], max(ranks))
    return results


def _values(predicted: Windows, annotated: Windows, windows: np.ndarray, most: int) -> _Values:
    spans, mask = predicted.spans[:, :most], predicted.mask[:, :most]
    iou = iou_matrix(spans, annotated.spans)
    short = ((0, 0), (0, 0), (0, most - mask.shape[1]))
    pairs = greedy_ious(iou, mask, annotated.mask, (*WIDE_R1_THRESHOLDS, FORCED))
    pairs = np.pad(pairs, short, constant_values=np.nan)
    precision = ranked_precision(predicted, annotated)
    return _Values(annotated.mask.sum(-1), windows, precision, pairs[:, :-1], pairs[:, -1])


def _joined(values: Sequence[_Values]) -> _Values:
    if not values:
        empty = np.zeros(0, np.int64)
        return _Values(empty, empty, np.zeros((0, 1)), np.zeros((0, 1, 1)), np.zeros((0, 1)))
    return _Values(*(np.concatenate(part) for part in zip(*values)))


def _summary(values: _Values, ranks: Sequence[int]) -> dict[str, Any]:
    """The official numbers of a range in per cent; those without queries are left out."""
    precision = 100 * values.precision.mean(-1)
    groups = {int(m): precision[values.moments == m] for m in np.unique(values.moments)}
    many = [group for moments, group in groups.items() if moments >= 3]
    averages: dict[str, float] = {}
    for moments in (1, 2):
        if moments in groups:
            averages[f'{moments}_tgt_mAP'] = float(groups[moments].mean())
    if many:
        averages['>=3_tgt_mAP'] = float(np.mean([group.mean() for group in many]))
        averages['>=3_queries_mAP'] = float(np.concatenate(many).mean())
    if len(precision):
        averages['Generalized_mAP'] = float(precision.mean())
    result: dict[str, Any] = {'MR-mAP': averages}
    for k in ranks:
        used = (values.moments >= k) & (values.windows >= k)
        if not used.any():
            continue
        found = (~np.isnan(values.pairs[used, :, :k])).sum((0, 2))  # (T,)
        recall = [float(f'{100 * count / (k * used.sum()):.2f}') for count in found]
        result[f'MR-R{k}'] = {f'{t:.2f}': r for t, r in zip(WIDE_R1_THRESHOLDS, recall)}
        result[f'MR-mR{k}'] = float(np.mean(recall))
        result[f'MR-mIoU@{k}'] = 100 * float(np.nanmean(values.forced[used, :k]))
    result['queries'] = len(precision)
    return result


_NAMES = {
    'G-mAP': 'Generalized_mAP',
    'mAP@1_tgt': '1_tgt_mAP',
    'mAP@2_tgt': '2_tgt_mAP',
    'mAP@3+_tgt': '>=3_tgt_mAP',
    'mAP@3+_queries': '>=3_queries_mAP',
}


def _brief(full: Mapping[str, Any], ranks: Sequence[int]) -> dict[str, float]:
    averages = full['MR-mAP']
    brief = {name: averages[key] for name, key in _NAMES.items() if key in averages}
    for ours, theirs in (('mR@', 'MR-mR'), ('mIoU@', 'MR-mIoU@')):
        brief |= {f'{ours}{k}': full[f'{theirs}{k}'] for k in ranks if f'{theirs}{k}' in full}
    return brief
