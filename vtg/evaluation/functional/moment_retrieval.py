# SPDX-License-Identifier: Apache-2.0
"""Moment retrieval: mAP, R@1 and mIoU over ranges of moment length.

Q queries, P predicted and G annotated windows (padded), T thresholds. Windows are start and end
in seconds, all arithmetic is float64.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vtg.utils import shown

from .padding import RecordError, flatten_rows, pad_rows, parts

MAP_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
WIDE_R1_THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(14))
MAX_WINDOWS = 10
"""Windows per query that count for mAP, the first in the order of the list."""

_MOST = 1 << 13
"""Annotated windows, padding included, that are evaluated at once."""

LENGTH_RANGES: dict[str, tuple[float, float] | None] = {
    'full': None,
    'long': (30, 150),
    'middle': (10, 30),
    'short': (0, 10),
}
"""Seconds; a window is inside where ``low < length <= high``. None takes every window."""


def iou_matrix(predicted: np.ndarray, annotated: np.ndarray) -> np.ndarray:
    """IoU of all pairs: ``(Q, P, 2)``, ``(Q, G, 2)`` to ``(Q, P, G)``.

    Two windows without length are NaN. A predicted window that ends before it starts covers
    nothing: 0. (The official evaluators add its negative length, so that 0/0, a hit, may result.)
    """
    a, b = predicted[:, :, None], annotated[:, None]  # (Q, P, 1, 2), (Q, 1, G, 2)
    inter = np.minimum(a[..., 1], b[..., 1]) - np.maximum(a[..., 0], b[..., 0])
    inter = np.maximum(inter, 0)
    union = (a[..., 1] - a[..., 0]) + (b[..., 1] - b[..., 0]) - inter
    reversed_ = a[..., 1] < a[..., 0]
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.where(reversed_, 0, inter / union)


def average_precision(
    iou: np.ndarray, predicted_mask: np.ndarray, annotated_mask: np.ndarray, thresholds: np.ndarray
) -> np.ndarray:
    """Interpolated average precision per query and threshold.

    Predictions are visited best first. Each takes the free annotated window with the highest IoU,
    provided that ``IoU >= threshold``, and is a false positive where there is none; unlike in
    Pascal VOC a prediction may so take its second-best window. Of equal IoUs the window that
    comes last in the annotation is taken. A NaN IoU (two windows without length) is a hit.

    Args:
        iou: ``(Q, P, G)``, predictions sorted by falling score.
        predicted_mask: ``(Q, P)`` True on predictions, which come before the padding.
        annotated_mask: ``(Q, G)`` True on windows that count; at least one per query.
        thresholds: ``(T,)``.

    Returns:
        ``(Q, T)`` area under the precision envelope, in [0, 1].
    """
    # From here on the last window comes first, so that argmax settles ties as stated.
    overlap = np.where(np.isnan(iou), np.inf, iou)[..., ::-1]
    usable = predicted_mask[:, :, None] & annotated_mask[:, None, ::-1]
    overlap = np.where(usable, overlap, -np.inf)
    queries, ranks, _ = overlap.shape
    free = np.ones((queries, len(thresholds), overlap.shape[-1]), bool)  # (Q, T, G)
    hits = np.zeros((queries, len(thresholds), ranks), bool)  # (Q, T, P)
    for rank in range(ranks):
        candidates = np.where(free, overlap[:, rank, None], -np.inf)
        best = candidates.argmax(-1)[..., None]  # (Q, T, 1)
        hit = np.take_along_axis(candidates, best, -1) >= thresholds[:, None]
        np.put_along_axis(free, best, np.take_along_axis(free, best, -1) & ~hit, -1)
        hits[..., rank] = hit[..., 0]
    found = hits.cumsum(-1)  # (Q, T, P)
    precision = found / np.maximum(predicted_mask.cumsum(-1), 1)[:, None]
    envelope = np.maximum.accumulate(precision[..., ::-1], -1)[..., ::-1]
    recall = found / annotated_mask.sum(-1)[:, None, None]
    return (np.diff(recall, axis=-1, prepend=0) * envelope).sum(-1)


def top1_iou(
    iou: np.ndarray, first: np.ndarray, annotated: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Overlap of the first window with the best annotated one.

    The best is the one with the highest IoU (the first of equals); the value is the intersection
    over the hull of the two, which is the IoU wherever they overlap, and 0 for an empty hull.

    Args:
        iou: ``(Q, G)`` IoU of the first window with every annotated one.
        first: ``(Q, 2)``; annotated: ``(Q, G, 2)``; mask: ``(Q, G)`` True on windows that count.

    Returns:
        ``(Q,)``.
    """
    best = np.where(mask, iou, -np.inf).argmax(-1)  # (Q,), NaN counts as the maximum
    target = np.take_along_axis(annotated, best[:, None, None], 1)[:, 0]  # (Q, 2)
    inter = np.minimum(first[:, 1], target[:, 1]) - np.maximum(first[:, 0], target[:, 0])
    hull = np.maximum(first[:, 1], target[:, 1]) - np.minimum(first[:, 0], target[:, 0])
    return np.divide(np.maximum(inter, 0), hull, out=np.zeros_like(hull), where=hull != 0)


def evaluate_moments(
    predictions: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    r1_thresholds: Sequence[float] = MAP_THRESHOLDS,
    miou: bool = False,
    ranges: Mapping[str, Sequence[float] | None] = LENGTH_RANGES,
    r5_thresholds: Sequence[float] = (),
) -> dict[str, dict[str, Any]]:
    """Evaluate moment retrieval per range of window length.

    A range keeps the annotated windows inside it and the queries that have one; predictions are
    not filtered. Queries without annotated windows are left out and need no predicted ones. R@1
    and mIoU read the first window of the list, mAP the first ten, ordered by score (equal scores
    in list order).

    Args:
        predictions: Records with ``pred_relevant_windows`` ``[[start_s, end_s, score], ...]``.
        annotations: Records with ``relevant_windows`` ``[[start_s, end_s], ...]``, pair by pair.
        r1_thresholds: IoU thresholds of R@1.
        miou: Add the mean IoU of the first window.
        ranges: Name to ``(low, high)`` in seconds, or None for all windows.
        r5_thresholds: IoU thresholds of R@5: any of the first five windows of the list, compared
            with any annotated one.

    Returns:
        ``{range: {'MR-mAP': {'0.5': ..., 'average': ...}, 'MR-R1': {'0.5': ...}}}`` in per cent,
        unrounded; NaN throughout a range without queries, which has no value.

    Raises:
        RecordError: A query has no predicted window, a window is malformed, or an annotated one
            ends before it starts.
    """
    counts = [_count(record.get('relevant_windows')) for record in annotations]
    # The order of sums, and so the last digit, depends on the width; it is the same in every part.
    width = max((_count(record.get('pred_relevant_windows')) for record in predictions), default=1)
    pieces = [
        _query_values(predictions[part], annotations[part], ranges, min(width, MAX_WINDOWS))
        for part in parts(np.array(counts), _MOST)
    ]
    results = {}
    for name in ranges:
        ap = np.concatenate([np.zeros((0, len(MAP_THRESHOLDS))), *(p[name].ap for p in pieces)])
        top1, top5 = (
            np.concatenate([np.zeros(0), *(getattr(p[name], rank) for p in pieces)])
            for rank in ('top1', 'top5')
        )
        results[name] = _summary(ap, top1, r1_thresholds, miou)
        if r5_thresholds:
            results[name]['MR-R5'] = _recall(top5, r5_thresholds)
    return results


def _count(value: Any) -> int:
    """Entries of a list, at least 1; what is none is reported where it is read."""
    return max(1, len(value)) if isinstance(value, list | tuple | np.ndarray) else 1


class _QueryValues(NamedTuple):
    """Values of the queries that count: AP ``(Q, T)``, overlap of the first window ``(Q,)`` and
    best IoU of the first five ``(Q,)``."""

    ap: np.ndarray
    top1: np.ndarray
    top5: np.ndarray


def _query_values(
    predictions: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    ranges: Mapping[str, Sequence[float] | None],
    width: int,
) -> dict[str, _QueryValues]:
    """The values per range; ``width`` is P, that of all parts."""
    qids, annotated, annotated_mask, labelled = _annotated_windows(annotations)
    predicted, predicted_mask = _predicted_windows(predictions, qids, labelled, width)
    iou = iou_matrix(predicted[..., :2], annotated)  # (Q, P, G)
    first, first_iou = predicted[:, 0, :2], iou[:, 0]
    top5 = np.where(predicted_mask[:, :5, None], np.nan_to_num(iou[:, :5]), 0).max(1)  # (Q, G)
    # Padding has the score 0 and must stay behind the predictions, whatever their scores are.
    order = np.argsort(np.where(predicted_mask, -predicted[..., 2], np.inf), axis=-1, kind='stable')
    iou = np.take_along_axis(iou, order[..., None], 1)
    lengths = annotated[..., 1] - annotated[..., 0]
    results = {}
    for name, limits in ranges.items():
        mask = annotated_mask
        if limits is not None:
            mask = mask & (lengths > limits[0]) & (lengths <= limits[1])
        keep = mask.any(-1)
        results[name] = _QueryValues(
            average_precision(
                iou[keep], predicted_mask[keep], mask[keep], np.array(MAP_THRESHOLDS)
            ),
            top1_iou(first_iou[keep], first[keep], annotated[keep], mask[keep]),
            np.where(mask, top5, 0).max(-1, initial=0)[keep],
        )
    return results


def has_windows(annotations: Sequence[dict[str, Any]]) -> bool:
    """Whether moments are annotated, if only as none for a query (``relevant_windows: []``)."""
    return any(record.get('relevant_windows') is not None for record in annotations)


def _annotated_windows(
    annotations: Sequence[dict[str, Any]],
) -> tuple[list[Any], np.ndarray, np.ndarray, np.ndarray]:
    """Qids, windows ``(Q, G, 2)`` and mask ``(Q, G)`` of the labelled queries; their indices."""
    field = 'relevant_windows'
    ids = [record.get('qid') for record in annotations]
    lists = [[] if record.get(field) is None else record[field] for record in annotations]
    windows, counts = flatten_rows(lists, ids, field, 2)
    length = windows[:, 1] - windows[:, 0]
    wrong = ~((length >= 0) & np.isfinite(length))
    if wrong.any():
        place = int(wrong.argmax())
        owner = int(np.repeat(np.arange(len(ids)), counts)[place])
        raise RecordError(
            ids[owner], field,
            f'has the window {windows[place].tolist()}, which does not end after its start; '
            'correct the annotation.',
        )  # fmt: skip
    labelled = np.flatnonzero(counts)
    qids = [ids[index] for index in labelled]
    return qids, *pad_rows([lists[index] for index in labelled], qids, field, 2), labelled


def _predicted_windows(
    predictions: Sequence[dict[str, Any]], qids: Sequence[Any], labelled: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """The first ten windows of the labelled queries: ``(Q, P, 3)`` and their mask ``(Q, P)``.

    The windows of all queries are checked, also those that do not count.
    """
    field = 'pred_relevant_windows'
    windows = [predictions[index].get(field) for index in labelled]
    for qid, value in zip(qids, windows):
        if not isinstance(value, list | tuple | np.ndarray) or len(value) == 0:
            raise RecordError(
                qid,
                field,
                f'must hold at least one [start_s, end_s, score], got {shown(value)}; write a '
                'window for every query.',
            )
    given = [record for record in predictions if record.get(field) is not None]
    flatten_rows([r[field] for r in given], [r.get('qid') for r in given], field, 3)
    return pad_rows([value[:MAX_WINDOWS] for value in windows], qids, field, 3, width)


def _summary(
    ap: np.ndarray, top1: np.ndarray, r1_thresholds: Sequence[float], miou: bool
) -> dict[str, Any]:
    """Average ``ap (Q, T)`` and ``top1 (Q,)`` over the queries, in per cent; NaN without any."""
    by_threshold = [_percent(total, len(ap)) for total in ap.sum(0)]
    result: dict[str, Any] = {}
    if miou:
        result['MR-mIoU'] = _percent(top1.sum(), len(top1))
    result['MR-mAP'] = dict(zip(map(str, MAP_THRESHOLDS), by_threshold))
    result['MR-mAP']['average'] = float(np.mean(by_threshold)) if len(ap) else math.nan
    result['MR-R1'] = _recall(top1, r1_thresholds)
    return result


def _recall(iou: np.ndarray, thresholds: Sequence[float]) -> dict[str, float]:
    """Share of the queries ``(Q,)`` at or above every threshold, in per cent."""
    return {str(t): _percent((iou >= t).sum(), len(iou)) for t in thresholds}


def _percent(total: float, count: int) -> float:
    return float(100 * total / count) if count else math.nan
