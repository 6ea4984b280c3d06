# SPDX-License-Identifier: Apache-2.0
"""Generalized moment retrieval: queries with no, one or several moments (Soccer-GMR, 2026)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vtg.utils import Record, is_number

from .matching import (
    TRUTH,
    Windows,
    annotated_windows,
    area_under_roc,
    existence_scores,
    greedy_ious,
    predicted_windows,
    query_parts,
    ranked_precision,
)
from .moment_retrieval import MAP_THRESHOLDS, MAX_WINDOWS, iou_matrix
from .qvhighlights import round_percent
from .records import match_records

FORCED = -1.0


def evaluate_generalized(
    predictions: Sequence[Record],
    annotations: Sequence[Record],
    *,
    rounded: bool = True,
    ranks: Sequence[int] = (1, 3, 5),
    thresholds: Sequence[float] = (0.4, 0.6),
    gate: float = 0.4,
    subset_ok: bool = False,
) -> dict[str, Any]:
    """Evaluate retrieval where a query may have no moment, with the official numbers.

    The score s of a query is ``pred_exist_score``, else the highest score of its windows, else 0;
    it is answered where ``s > threshold``. Annotated windows are cut to the video, sorted, and
    those without length or repeated are left out. ``M`` is how many remain.

    * ``Rej-F1@t``: F1 of rejecting the queries without a moment; ``Acc@t``: share of right
      decisions; ``Rej-F1`` is that at the first threshold. ``AUROC`` of s for M >= 1.
    * Over queries with M >= 1, whatever s says: ``mAP``; ``mR@k``, share of the M moments that the
      first k windows find, mean over IoU 0.5, 0.55, ..., 0.95; ``mIoU@k``, mean IoU of the pairs.
    * Over queries with M >= 2: ``mR+@k`` and ``mIoU+@k``, the same without the first or best pair.
    * ``G-mIoU@k`` over all: IoU of the two sets of windows, where queries with ``s <= gate`` have
      none; 1 where both are empty.

    Args:
        predictions: Records with ``pred_relevant_windows``, which may be empty, and
            ``pred_exist_score`` where the model has one.
        annotations: Records with ``relevant_windows``, ``[]`` for no moment, and ``duration``.
        rounded, subset_ok: See :func:`vtg.evaluation.functional.evaluate_moment_retrieval`.
        ranks: The k.
        thresholds: Of s, for the decision.
        gate: Of s, for G-mIoU.

    Returns:
        A nested dict,
        ``{'brief': {...}, 'decisions': {'0.4': {'TP': ...}}, 'AP@IoU': {...}, 'mR@1_per_IoU': ...,
        'stats': {...}}`` in per cent; counts in ``decisions`` and ``stats``.

    Raises:
        DataError: The queries differ or repeat, or a record is malformed.
    """
    predicted, annotated = match_records(predictions, annotations, subset_ok)
    cleaned = [_cleaned(record) for record in annotated]
    scores = existence_scores(predicted)
    moments = np.array([len(record[TRUTH]) for record in cleaned], np.int64)
    pieces = [
        _of_part(predicted[part], cleaned[part], scores[part] > gate, ranks)
        for part in query_parts(cleaned)
    ]
    values = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    positive, several = moments > 0, moments > 1
    decisions = {f'{t:g}': _decisions(scores > t, positive) for t in thresholds}
    brief = {'AUROC': 100 * area_under_roc(scores, positive)}
    for name in ('Rej-F1', 'Acc'):
        brief |= {f'{name}@{t}': found[name] for t, found in decisions.items()}
    brief = {'Rej-F1': brief[f'Rej-F1@{thresholds[0]:g}'], **brief}
    brief |= {f'G-mIoU@{k}': _mean(values[f'G-mIoU@{k}']) for k in ranks}
    details: dict[str, Any] = {}
    for name in ('mAP', *(f'{m}@{k}' for m in ('mR', 'mR+', 'mIoU', 'mIoU+') for k in ranks)):
        chosen = values[name][several if '+' in name else positive]
        brief[name] = _mean(chosen)
        if chosen.ndim > 1:
            by_iou = chosen.mean(0) if len(chosen) else np.zeros(len(MAP_THRESHOLDS))
            key = 'AP@IoU' if name == 'mAP' else f'{name}_per_IoU'
            details[key] = {f'{t:.2f}': float(v) for t, v in zip(MAP_THRESHOLDS, 100 * by_iou)}
    stats = {
        'queries': len(moments),
        'with a moment': int(positive.sum()),
        'with several': int(several.sum()),
        'without a moment': int((~positive).sum()),
    }
    result = {'brief': brief, 'decisions': decisions, **details, 'stats': stats}
    return round_percent(result) if rounded else result


def _cleaned(annotation: Record) -> Record:
    """The record with the windows inside the video, sorted, each once.

    One that lies outside as a whole stays, so that its query is no query without a moment.
    """
    end = annotation.get('duration')
    limit = end if is_number(end, 0) else np.inf
    annotated_windows([annotation])  # complains about what is malformed
    windows = [(max(a, 0), min(b, limit)) for a, b in annotation.get(TRUTH) or []]
    inside = {window for window in windows if window[1] > window[0]}
    if annotation.get('unreachable'):
        inside = inside or {(0.0, 0.0)}
    return {**annotation, TRUTH: sorted(inside)}


def _of_part(
    predictions: Sequence[Record],
    annotations: Sequence[Record],
    answered: np.ndarray,
    ranks: Sequence[int],
) -> dict[str, np.ndarray]:
    """Values per query: ``(Q, 10)`` over IoU, or ``(Q,)``."""
    most = max(*ranks, MAX_WINDOWS)
    predicted, annotated = predicted_windows(predictions, most), annotated_windows(annotations)
    moments = annotated.mask.sum(-1)
    iou = iou_matrix(predicted.spans, annotated.spans)
    limits = (*MAP_THRESHOLDS, FORCED)
    pairs = greedy_ious(iou, predicted.mask, annotated.mask, limits)
    values = {'mAP': ranked_precision(predicted, annotated._replace(mask=_at_least_one(annotated)))}
    for k in ranks:
        found = (~np.isnan(pairs[:, :-1, :k])).sum(-1)  # (Q, T)
        values[f'mR@{k}'] = found / np.maximum(moments, 1)[:, None]
        values[f'mR+@{k}'] = np.maximum(found - 1, 0) / np.maximum(moments - 1, 1)[:, None]
        forced = pairs[:, -1, :k]
        count, total = (~np.isnan(forced)).sum(-1), np.nansum(forced, -1)
        best = np.nan_to_num(forced).max(-1, initial=0)
        values[f'mIoU@{k}'] = total / np.maximum(count, 1)
        values[f'mIoU+@{k}'] = np.where(count > 1, total - best, 0) / np.maximum(count - 1, 1)
    return values | _set_overlap(predicted, annotated, answered, ranks)


def _at_least_one(annotated: Windows) -> np.ndarray:
    """The mask, with one window (of no length) where a query has none; it does not count then."""
    mask = annotated.mask.copy()
    mask[:, 0] |= ~mask.any(-1)
    return mask


def _set_overlap(
    predicted: Windows, annotated: Windows, answered: np.ndarray, ranks: Sequence[int]
) -> dict[str, np.ndarray]:
    """G-mIoU per query: sum of the IoU of the pairs over the windows that either side has."""
    spans, mask, _ = (part[:, :MAX_WINDOWS] for part in predicted)
    mask = mask & (spans[..., 1] > spans[..., 0]) & answered[:, None]
    order = np.argsort(~mask, axis=-1, kind='stable')  # what is left out goes behind
    spans, mask = (
        np.take_along_axis(spans, order[..., None], 1),
        np.take_along_axis(mask, order, 1),
    )
    pairs = greedy_ious(iou_matrix(spans, annotated.spans), mask, annotated.mask, (0.0,))[:, 0]
    moments, values = annotated.mask.sum(-1), {}
    for k in ranks:
        first = pairs[:, :k]
        union = mask[:, :k].sum(-1) + moments - (~np.isnan(first)).sum(-1)
        overlap = np.nansum(first, -1) / np.maximum(union, 1)
        values[f'G-mIoU@{k}'] = np.where(union == 0, 1.0, overlap)
    return values


def _decisions(answered: np.ndarray, positive: np.ndarray) -> dict[str, Any]:
    """Counts of the four outcomes, and how well queries without a moment are rejected."""
    true, false = int((answered & positive).sum()), int((answered & ~positive).sum())
    rejected, missed = int((~answered & ~positive).sum()), int((~answered & positive).sum())
    precision, recall = (
        100 * _ratio(rejected, total) for total in (rejected + missed, rejected + false)
    )
    return {
        'Rej-F1': _ratio(2 * precision * recall, precision + recall),
        'Acc': 100 * _ratio(true + rejected, len(positive)),
        'Rej-P': precision,
        'Rej-R': recall,
        'TP': true,
        'TN': rejected,
        'FP': false,
        'FN': missed,
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _mean(values: np.ndarray) -> float:
    """The mean in per cent, 0 without queries, as the official code has it."""
    return float(100 * values.mean()) if len(values) else 0.0
