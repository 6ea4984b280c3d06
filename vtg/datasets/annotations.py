# SPDX-License-Identifier: Apache-2.0
"""Reading an annotation file and checking it as a whole.

A record has ``qid``, ``query``, ``vid``, ``duration`` (seconds) and, where labelled,
``relevant_windows`` (seconds), ``relevant_clip_ids`` and ``saliency_scores``, or ``label``, a row
of ratings per clip. All windows of a file
are checked in one pass, so that a wrong one is reported before training starts.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtg.utils import DataError

Record = dict[str, Any]


def find_annotations(path: str | Path) -> Path | None:
    """Return ``path`` or its gzip twin ``path.gz``, whichever exists."""
    candidates = (Path(path), Path(f'{path}.gz'))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _where(path: str | Path, records: Sequence[Record], index: int) -> str:
    return f'{path}, record {index + 1} (qid {records[index].get("qid")!r})'


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value)


def _check_fields(records: Sequence[Record], path: str | Path) -> None:
    seen: dict[Any, int] = {}
    for index, record in enumerate(records):
        missing = [name for name in ('qid', 'query', 'vid', 'duration') if name not in record]
        if missing:
            raise DataError(
                f'{_where(path, records, index)} has no field {missing[0]!r}; every record needs '
                'qid, query, vid and duration.'
            )
        if not _is_number(record['duration']) or record['duration'] <= 0:
            raise DataError(
                f'{_where(path, records, index)}: duration is {record["duration"]!r}; expected a '
                'positive number of seconds.'
            )
        if not isinstance(record['query'], str) or not record['query'].split():
            raise DataError(
                f'{_where(path, records, index)}: the query {record["query"]!r} has no words; '
                'correct the text or remove the record.'
            )
        first = seen.setdefault(record['qid'], index)
        if first != index:
            raise DataError(
                f'{_where(path, records, index)}: the same qid is already used by record '
                f'{first + 1}; every qid may occur once.'
            )


def flatten_windows(
    records: Sequence[Record], path: str | Path = 'annotations'
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all windows ``(W, 2)``, the record of each ``(W,)`` and the counts ``(records,)``."""
    counts = np.zeros(len(records), dtype=np.int64)
    flat: list[list[float]] = []
    for index, record in enumerate(records):
        windows = record.get('relevant_windows')
        if windows is None:
            continue
        pairs = isinstance(windows, list) and all(
            isinstance(window, list) and len(window) == 2 and all(map(_is_number, window))
            for window in windows
        )
        if not pairs:
            raise DataError(
                f'{_where(path, records, index)}: relevant_windows is {windows!r}; expected a list '
                'of [start, end] in seconds.'
            )
        counts[index] = len(windows)
        flat += windows
    owner = np.repeat(np.arange(len(records)), counts)
    return np.asarray(flat, dtype=np.float64).reshape(-1, 2), owner, counts


def _check_windows(records: Sequence[Record], path: str | Path) -> np.ndarray:
    windows, owner, counts = flatten_windows(records, path)
    durations = np.asarray([record['duration'] for record in records], dtype=np.float64)[owner]
    start, end = windows[:, 0], windows[:, 1]
    problems = (
        ('is reversed; the start must come first', end < start),
        ('has zero length; the end must lie after the start', end == start),
        ('lies outside the video', (start < 0) | (end > durations)),
    )
    for problem, wrong in problems:
        if wrong.any():
            index = int(owner[np.argmax(wrong)])
            window = windows[np.argmax(wrong)].tolist()
            raise DataError(
                f'{_where(path, records, index)}: window {window} {problem} (the video lasts '
                f'{records[index]["duration"]} s; {int(wrong.sum())} such windows in the file); '
                'correct or remove it.'
            )
    return counts


def _check_scores(records: Sequence[Record], path: str | Path) -> None:
    for index, record in enumerate(records):
        clips, scores = record.get('relevant_clip_ids'), record.get('saliency_scores')
        if clips is None or scores is None:
            continue
        if len(clips) != len(scores):
            raise DataError(
                f'{_where(path, records, index)}: {len(clips)} relevant_clip_ids but {len(scores)} '
                'saliency_scores; expected one row of scores per relevant clip.'
            )
        if clips and (not all(isinstance(clip, int) for clip in clips) or min(clips) < 0):
            raise DataError(
                f'{_where(path, records, index)}: relevant_clip_ids is {clips}; expected indices '
                'of clips, 0 or more.'
            )
        if len({np.size(row) for row in scores}) > 1:
            raise DataError(
                f'{_where(path, records, index)}: rows of saliency_scores differ in length; '
                'expected one score per annotator in every row.'
            )


def _check_ratings(records: Sequence[Record], path: str | Path) -> None:
    for index, record in enumerate(records):
        ratings = record.get('label')
        if ratings is None:
            continue
        rows = isinstance(ratings, list) and all(isinstance(row, list) for row in ratings)
        if not rows or not ratings or len({len(row) for row in ratings}) > 1 or not ratings[0]:
            raise DataError(
                f'{_where(path, records, index)}: label must hold one row of ratings per clip, all '
                'of one length; correct it or remove the record.'
            )
        values = np.asarray(ratings)
        if values.dtype.kind not in 'iuf' or not np.isfinite(values).all():
            raise DataError(
                f'{_where(path, records, index)}: label holds something else than numbers; correct '
                'it or remove the record.'
            )


def check_records(
    records: Sequence[Record], path: str | Path, required: Sequence[str] = ()
) -> None:
    """Check the records of one file.

    Args:
        records: The records in file order.
        path: Named in the errors.
        required: Label fields that every record needs. Training passes those its labels are made
            from; evaluation passes none, since test files come without labels.

    Raises:
        DataError: A field is missing, a query has no words, a qid repeats, a window lies outside
            the video, is reversed or has zero length, clip ids and scores do not match, or ratings
            are malformed.
    """
    if not records:
        raise DataError(f'{path} holds no record; expected one JSON object per line.')
    _check_fields(records, path)
    counts = _check_windows(records, path)
    _check_scores(records, path)
    _check_ratings(records, path)
    for name in required:
        for index, record in enumerate(records):
            empty = name == 'relevant_windows' and not counts[index]
            if record.get(name) is None or empty:
                raise DataError(
                    f'{_where(path, records, index)} has no {name!r}; training needs it, so use a '
                    'labelled file or remove the record.'
                )
