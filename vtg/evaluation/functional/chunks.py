# SPDX-License-Identifier: Apache-2.0
"""DiDeMo: rankings of all runs of chunks against the moments of several annotators."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from vtg.utils import Record, is_integer

from .matching import predicted_windows
from .moment_retrieval import iou_matrix
from .padding import RecordError
from .qvhighlights import round_percent
from .records import match_records

CHUNK = 5.0
"""Seconds."""
LAST_RANK = 22
"""Of a moment that a ranking lacks: one behind all 21."""
AGREED = 3
"""Annotators that count: those whom the answer fits best."""
_SAME = 1e-3

Run = tuple[int, int]


def evaluate_chunk_ranking(
    predictions: Sequence[Record],
    annotations: Sequence[Record],
    *,
    rounded: bool = True,
    ranks: Sequence[int] = (1, 5),
    ranking: Literal['auto', 'list', 'iou'] = 'auto',
    subset_ok: bool = False,
) -> dict[str, Any]:
    """Evaluate moments of whole chunks of 5 s with the numbers of DiDeMo (Hendricks et al., 2017).

    The moments of a video are all runs of its chunks, 21 of 6 or 15 of 5. ``Rank@k`` is the share
    of queries where the mean rank of the three annotated moments that are ranked best is at most k;
    ``mIoU`` the mean, over the three annotators that fit best, of the IoU of the first moment.
    Hence the best possible Rank@1 is far below 100.

    Windows in seconds become a ranking in one of two ways. ``'list'``: every window is the run of
    chunks that it touches (repetitions count once); runs that the list lacks have the rank 22.
    ``'iou'``: all runs ordered by their IoU with the first window, ties by the second and so on,
    then by start and end. ``'auto'`` takes the list of a query whose windows all are runs of whole
    chunks, as a ranking model writes them, and IoU for others.

    Args:
        predictions: Records with ``pred_relevant_windows``.
        annotations: Records with ``times``, ``[first, last]`` chunk per annotator, and
            ``num_segments``; the format ``didemo`` keeps both.
        rounded, subset_ok: See :func:`vtg.evaluation.functional.evaluate_moment_retrieval`.
        ranks: The k.
        ranking: See above.

    Returns:
        ``{'brief': {'Rank@1': ..., 'Rank@5': ..., 'mIoU': ...}, 'ceiling': {'Rank@1': ...}}`` in
        per cent; ``ceiling`` is what no ranking exceeds.

    Raises:
        DataError: The queries differ or repeat, or a record is malformed.
    """
    predicted, annotated = match_records(predictions, annotations, subset_ok)
    windows = predicted_windows(predicted)
    best, overlap, agree = [], [], []
    for row, mask, truth in zip(windows.spans, windows.mask, annotated):
        chunks, times = _times(truth)
        order = _ranking(row[mask], chunks, ranking, truth.get('duration'))
        places = sorted(order.index(run) + 1 if run in order else LAST_RANK for run in times)
        best.append(np.mean(places[:AGREED]))
        fits = sorted((_run_iou(order[0], run) for run in times), reverse=True) if order else [0.0]
        overlap.append(np.mean(fits[:AGREED]))
        agree.append(max(times.count(run) for run in times) >= min(AGREED, len(times)))
    average = np.array(best)
    brief = {f'Rank@{k}': float(100 * (average <= k).mean()) for k in ranks}
    brief['mIoU'] = float(100 * np.mean(overlap))
    result = {'brief': brief, 'ceiling': {'Rank@1': float(100 * np.mean(agree))}}
    return round_percent(result) if rounded else result


def runs_of(chunks: int) -> list[Run]:
    """All moments of a video, by start and end."""
    return [(first, last) for first in range(chunks) for last in range(first, chunks)]


def _times(annotation: Record) -> tuple[int, list[Run]]:
    chunks, times = annotation.get('num_segments'), annotation.get('times')
    if not is_integer(chunks, 1, 1000) or not isinstance(times, list) or not times:
        raise RecordError(
            annotation['qid'], 'times',
            'and `num_segments` of the annotation are needed: the chunks that every annotator '
            'chose; convert the file of DiDeMo with tools/convert_annotations.py didemo.',
        )  # fmt: skip
    for run in times:
        pair = isinstance(run, list | tuple) and len(run) == 2
        if not pair or not all(is_integer(chunk, 0, chunks - 1) for chunk in run):
            raise RecordError(annotation['qid'], 'times', f'names no chunks of {chunks}.')
    return chunks, [(run[0], run[1]) for run in times]


def _ranking(windows: np.ndarray, chunks: int, ranking: str, duration: Any) -> list[Run]:
    """Moments of a video, best first, from windows ``(P, 2)`` in seconds, best first."""
    if not len(windows):
        return []
    first = np.floor((windows[:, 0] + _SAME) / CHUNK).astype(int)
    last = np.maximum(first, np.ceil((windows[:, 1] - _SAME) / CHUNK).astype(int) - 1)
    # The last chunk of a video may be shorter.
    end = duration if isinstance(duration, int | float) else np.inf
    ends = np.minimum(CHUNK * (last + 1), np.where(last >= chunks - 1, end, np.inf))
    gaps = np.abs(np.stack((windows[:, 0] - CHUNK * first, windows[:, 1] - ends)))
    later = np.abs(windows[:, 1] - CHUNK * (last + 1))
    whole = (gaps[0] <= _SAME) & (np.minimum(gaps[1], later) <= _SAME)
    if ranking == 'list' or (ranking == 'auto' and whole.all()):
        return list(dict.fromkeys(zip(first.tolist(), last.tolist())))
    runs = runs_of(chunks)
    spans = CHUNK * (np.array(runs) + np.array([0, 1]))  # (R, 2)
    spans[:, 1] = np.minimum(spans[:, 1], np.maximum(end, spans[:, 0] + _SAME))
    iou = np.nan_to_num(iou_matrix(windows[None], spans[None])[0])  # (P, R)
    # The last key counts first; equal moments stay in the order of start and end.
    return [runs[index] for index in np.lexsort(-iou[::-1])]


def _run_iou(a: Run, b: Run) -> float:
    """Shared chunks over the chunks from the first to the last of both."""
    shared = min(a[1], b[1]) + 1 - max(a[0], b[0])
    return max(0, shared) / (max(a[1], b[1]) + 1 - min(a[0], b[0]))
