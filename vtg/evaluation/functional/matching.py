# SPDX-License-Identifier: Apache-2.0
"""Greedy matching of ranked windows with annotated ones, and what the further metrics share.

Q queries, P predicted and G annotated windows (padded), T thresholds; windows are start and end in
seconds. Queries may lack windows on either side.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from vtg.utils import Record

from .moment_retrieval import MAP_THRESHOLDS, MAX_WINDOWS, average_precision, iou_matrix
from .padding import RecordError, flatten_rows, pad_rows, parts

WINDOWS, TRUTH = 'pred_relevant_windows', 'relevant_windows'
EXISTENCE = 'pred_exist_score'
_MOST = 1 << 13
"""Annotated windows, padding included, that are looked at together."""


class Windows(NamedTuple):
    """Windows of queries: ``(Q, N, 2)``, mask ``(Q, N)``; of predictions scores ``(Q, N)`` too."""

    spans: np.ndarray
    mask: np.ndarray
    scores: np.ndarray


def predicted_windows(predictions: Sequence[Record], most: int | None = None) -> Windows:
    """The first ``most`` windows of every query in the order of the list; all are checked.

    Raises:
        RecordError: A list is malformed.
    """
    qids = [record.get('qid') for record in predictions]
    lists = [_rows(record, WINDOWS) for record in predictions]
    flatten_rows(lists, qids, WINDOWS, 3)
    padded, mask = pad_rows([rows[:most] for rows in lists], qids, WINDOWS, 3)
    return Windows(padded[..., :2], mask, padded[..., 2])


def annotated_windows(annotations: Sequence[Record]) -> Windows:
    """The annotated windows of every query.

    Raises:
        RecordError: A list is malformed, or a window ends before it starts.
    """
    qids = [record.get('qid') for record in annotations]
    padded, mask = pad_rows([_rows(record, TRUTH) for record in annotations], qids, TRUTH, 2)
    wrong = mask & (padded[..., 1] < padded[..., 0])
    if wrong.any():
        query, place = np.argwhere(wrong)[0]
        raise RecordError(
            qids[query], TRUTH,
            f'has the window {padded[query, place].tolist()}, which does not end after its start; '
            'correct the annotation.',
        )  # fmt: skip
    return Windows(padded, mask, np.zeros(mask.shape))


def count_windows(records: Sequence[Record], field: str) -> np.ndarray:
    """Windows per query ``(Q,)``.

    Raises:
        RecordError: What stands there is no list of windows.
    """
    lists = [_rows(record, field) for record in records]
    qids = [record.get('qid') for record in records]
    return flatten_rows(lists, qids, field, 3 if field == WINDOWS else 2)[1]


def query_parts(annotations: Sequence[Record]) -> Iterator[slice]:
    """Cut queries into parts that fit the memory, however many windows one of them has."""
    yield from parts(np.maximum(count_windows(annotations, TRUTH), 1), _MOST)


def greedy_ious(
    iou: np.ndarray, predicted: np.ndarray, annotated: np.ndarray, thresholds: Sequence[float]
) -> np.ndarray:
    """IoU of the pair that every prediction makes, NaN where it makes none.

    Predictions choose in the order of the list. Each takes the free annotated window with the
    highest IoU, the first of equals, provided that ``IoU >= threshold``; so the pairs of the first
    k predictions are those of the whole list. A threshold of -1 forces pairs while windows are
    free.

    Args:
        iou: ``(Q, P, G)``; NaN (two windows without length) counts as 0.
        predicted, annotated: Masks ``(Q, P)`` and ``(Q, G)``.
        thresholds: T numbers.

    Returns:
        ``(Q, T, P)``.
    """
    usable = predicted[:, :, None] & annotated[:, None]
    overlap = np.where(usable, np.nan_to_num(iou), -np.inf)
    queries, ranks, _ = overlap.shape
    limits = np.array(thresholds, np.float64)[:, None]  # (T, 1)
    free = np.ones((queries, len(limits), overlap.shape[-1]), bool)  # (Q, T, G)
    pairs = np.full((queries, len(limits), ranks), np.nan)
    for rank in range(ranks):
        candidates = np.where(free, overlap[:, rank, None], -np.inf)
        best = candidates.argmax(-1)[..., None]  # (Q, T, 1)
        value = np.take_along_axis(candidates, best, -1)
        hit = value >= limits
        np.put_along_axis(free, best, np.take_along_axis(free, best, -1) & ~hit, -1)
        pairs[..., rank] = np.where(hit, value, np.nan)[..., 0]
    return pairs


def ranked_precision(predicted: Windows, annotated: Windows) -> np.ndarray:
    """Average precision ``(Q, T)`` at IoU 0.5, 0.55, ..., 0.95, of the first ten windows by score.

    0 for a query without predicted windows; every query needs an annotated one.
    """
    spans, mask, scores = (part[:, :MAX_WINDOWS] for part in predicted)
    order = np.argsort(np.where(mask, -scores, np.inf), axis=-1, kind='stable')
    iou = np.take_along_axis(iou_matrix(spans, annotated.spans), order[..., None], 1)
    return average_precision(iou, mask, annotated.mask, np.array(MAP_THRESHOLDS))


def existence_scores(predictions: Sequence[Record]) -> np.ndarray:
    """How sure a model is that a query has a moment ``(Q,)``.

    ``pred_exist_score``, else the highest score of any window, else 0.

    Raises:
        RecordError: A score is no finite number.
    """
    rows = [
        [_highest(record)] if record.get(EXISTENCE) is None else [record[EXISTENCE]]
        for record in predictions
    ]
    flat, _ = flatten_rows(rows, [record.get('qid') for record in predictions], EXISTENCE)
    return flat


def area_under_roc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Chance that a positive scores above a negative, equal scores counting half; 0.5 where there
    are only positives or only negatives.

    Args:
        scores: ``(N,)``; positive: ``(N,)`` bool.
    """
    pairs = int(positive.sum()) * int((~positive).sum())
    if not pairs:
        return 0.5
    _, group, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[group]  # average rank of equal scores
    wins = ranks[positive].sum() - positive.sum() * (positive.sum() + 1) / 2
    return float(wins / pairs)


def _highest(record: Record) -> float:
    rows = _rows(record, WINDOWS)
    scores, _ = flatten_rows([rows], [record.get('qid')], WINDOWS, 3)
    return float(scores[:, 2].max()) if len(scores) else 0.0


def _rows(record: Record, field: str) -> Any:
    """The list of a field, empty where it is missing."""
    value = record.get(field)
    return [] if value is None else value
