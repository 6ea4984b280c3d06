# SPDX-License-Identifier: Apache-2.0
"""One prediction for every annotated query: answers found, mended, sorted, and filled in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal

import numpy as np

from vtg.evaluation.functional.records import UNANSWERED, match_records
from vtg.utils import TOLERANCE, DataError, Record, check_choice, is_number

from .answers import Answers, check_fields, check_qids
from .formats import EXISTENCE, SCORES, WINDOWS

MISSING = ('wrong', 'refuse', 'drop', 'full-video')
MISS = [-2.0, -1.0, 0.0]
"""Stands where there is no answer: a window that nothing overlaps."""


@dataclass(frozen=True)
class Completed:
    """Predictions and annotations, pair by pair.

    Attributes:
        predictions: In our fields, with the ids of the annotations.
        annotations: All of them, or the answered ones.
        answered: How many of the annotated queries have an answer.
        total: How many there are.
        whole: Which of the predictions are answers as they are, with nothing filled in.
        notes: What is unusual and what was done about it, with its count.
    """

    predictions: list[Record]
    annotations: list[Record]
    answered: int
    total: int
    whole: list[bool]
    notes: dict[str, int] = field(default_factory=dict)


def complete(
    answers: Answers,
    annotations: Sequence[Record],
    missing: Literal['wrong', 'refuse', 'drop', 'full-video'] | None = None,
    *,
    windows: Literal['strict', 'repair'] = 'strict',
    order: Literal['score', 'list'] = 'score',
    by_position: bool = False,
    empty_is_answer: bool = False,
    grid: float | None = None,
) -> Completed:
    """Find the answer to every annotated query.

    Answers belong to the query with their qid, as a number or text, else to that of their video and
    sentence; equal queries about one video get their answers in the order of the file.

    Args:
        answers: As :func:`~vtg.evaluation.reading.read_answers` gives them.
        annotations: Records with ``qid``, ``vid``, ``query`` and ``duration``.
        missing: What happens to queries without an answer, be it absent, empty or unreadable: they
            count as ``'wrong'``; the file is refused (``'refuse'``); they are left out, which
            flatters (``'drop'``); or the answer is the whole video (``'full-video'``, as VideoMind
            does). None refuses where the file is ours and counts as wrong elsewhere.
        windows: ``'repair'`` turns windows that end before they start, cuts them to the video, and
            leaves out what are no finite numbers; ``'strict'`` keeps all as it is.
        order: Sort windows by falling ``'score'``, or keep the ``'list'`` as R@1 of the official
            evaluators reads it.
        by_position: The first answer is that to the first query, whatever the ids.
        empty_is_answer: An empty list says that there is no moment.
        grid: Round times to multiples of so many seconds (TimeLens: 1).

    Raises:
        DataError: Ids are missing, repeated or not those of the annotations, where that is refused.
        ConfigError: An option is unknown.
    """
    missing = missing or ('refuse' if answers.own else 'wrong')
    check_choice(missing, MISSING, 'missing')
    check_choice(windows, ('strict', 'repair'), 'windows')
    check_choice(order, ('score', 'list'), 'order')
    notes = Counter(answers.notes)
    found = _matched(answers, annotations, missing, by_position, notes)
    fields = answers.fields or [WINDOWS]
    predictions: list[Record] = []
    kept: list[Record] = []
    whole: list[bool] = []
    silent = 0
    for annotation, answer in zip(annotations, found):
        record = {'qid': annotation.get('qid'), 'vid': annotation.get('vid')}
        if answer is not None:
            record |= {name: value for name, value in answer.items() if name not in _OF_QUERY}
            named, meant = answer.get('vid'), annotation.get('vid')
            record['vid'] = meant if not named or _key(answer)[0] == _key(annotation)[0] else named
        if not answers.own and _says_nothing(record.get(WINDOWS), annotation.get('duration')):
            notes[_OUTSIDE] += 1
            record[WINDOWS] = None
        _settle(record, annotation, windows, order, grid, notes)
        empty = empty_is_answer or annotation.get('relevant_windows') == []
        lacking = [name for name in fields if _lacks(record, name, empty)]
        silent += len(lacking) == len(fields)
        if missing == 'drop' and 0 < len(lacking) < len(fields):
            raise DataError(
                f'{answers.where(record["qid"])} answers only in part (it has no '
                f'`{lacking[0]}`); count what is lacking as wrong with --missing wrong.'
            )
        if missing == 'drop' and lacking:
            continue
        if missing != 'refuse' and lacking:
            record = _filled(record, annotation, lacking, missing)
        predictions.append(record)
        kept.append(annotation)
        whole.append(not lacking or missing == 'refuse')
    total = len(annotations)
    if missing == 'drop' and not kept:
        raise DataError(f'{answers.path} answers none of the {total} queries; check the split.')
    said = {text: int(count) for text, count in notes.items() if count}
    return Completed(predictions, kept, total - silent, total, whole, said)


_OF_QUERY = ('qid', 'query', 'span')
_OUTSIDE = 'answers that lie outside the video, as code bases write where they found nothing'
_FAR = 10.0
"""Seconds behind the video where TimeLens puts a moment that it could not read."""


def _says_nothing(rows: Any, duration: Any) -> bool:
    """Whether windows stand for none: ``[D + 10, D + 20]`` (TimeLens), ``[-1, -1]`` (UniTime)."""
    limit = duration + _FAR - TOLERANCE if is_number(duration, 0) else np.inf
    if not isinstance(rows, list) or not rows:
        return False
    pairs = [
        row[:2]
        for row in rows
        if isinstance(row, list) and len(row) > 1 and all(map(is_number, row[:2]))
    ]
    return len(pairs) == len(rows) and all(e < 0 or s >= limit for s, e in pairs)


def _matched(
    answers: Answers,
    annotations: Sequence[Record],
    missing: str,
    by_position: bool,
    notes: Counter[str],
) -> list[Record | None]:
    """The answer to every annotated query, None where there is none."""
    if by_position:
        if len(answers.records) != len(annotations):
            raise DataError(
                f'{answers.path} holds {len(answers.records)} answers to {len(annotations)} '
                'queries; answers without ids of their own (--qid renumber) need one for each, in '
                'the same order.'
            )
        return list(answers.records)
    if missing == 'refuse':
        check_qids(answers, ' (--qid renumber pairs the files by position)')
        check_fields(answers)
        predicted, _ = match_records(answers.records, annotations)
        return list(predicted)
    by_qid = _found_by_qid(answers, annotations)
    if by_qid is None:
        found, used = _found_by_text(answers, annotations)
        notes['answers found by their video and sentence, as the ids are others'] += used
    else:
        found, used = by_qid
    if not used:
        raise DataError(
            f'{answers.path} has no answer to a query of the annotations, neither by its id nor by '
            'its video and sentence; check the split.'
        )
    notes['answers to queries that are not annotated, left out'] += len(answers.records) - used
    return found


def _found_by_qid(
    answers: Answers, annotations: Sequence[Record]
) -> tuple[list[Record | None], int] | None:
    """Answers by id, None where the ids are others: absent, or of other queries."""
    places = {str(record['qid']): index for index, record in enumerate(annotations)}
    if len(places) < len(annotations):
        return None
    hits = [
        (places[str(qid)], answer)
        for answer in answers.records
        if (qid := answer.get('qid')) is not None and str(qid) in places
    ]
    if not hits:
        return None
    compared = [
        _key(answer)[0] == _key(annotations[place])[0]
        for place, answer in hits
        if answer.get('vid') and annotations[place].get('vid')
    ]
    if answers.format != 'vtg' and compared and 2 * sum(compared) < len(compared):
        return None
    found: list[Record | None] = [None] * len(annotations)
    for place, answer in hits:
        if found[place] is not None:
            raise DataError(
                f'{answers.where(answer.get("qid"))}: there are two answers to the query '
                f'{answer.get("qid")!r}; keep one.'
            )
        found[place] = answer
    return found, len(hits)


def _found_by_text(
    answers: Answers, annotations: Sequence[Record]
) -> tuple[list[Record | None], int]:
    """Answers by video and sentence, equal ones in the order of both files."""
    waiting: dict[tuple[str, str], list[Record]] = {}
    for answer in answers.records:
        waiting.setdefault(_key(answer), []).append(answer)
    found: list[Record | None] = []
    used: set[int] = set()
    for annotation in annotations:
        same = waiting.get(_key(annotation), [])
        # Files that are keyed by the sentence hold one answer for all that are equal.
        if not same:
            found.append(None)
            continue
        found.append(same.pop(0) if len(same) > 1 else same[0])
        used.add(id(found[-1]))
    return found, len(used)


def _key(record: Record) -> tuple[str, str]:
    """Video without folder, ending and ``v_``, sentence without case, white space, full stop."""
    vid = PurePath(str(record.get('vid') or '').replace('\\', '/')).name
    stem, dot, ending = vid.rpartition('.')
    if dot and ending.lower() in ('mp4', 'mkv', 'avi', 'webm', 'mov', 'm4v', '3gp', 'wav'):
        vid = stem
    vid = vid.removeprefix('v_')
    query = ' '.join(str(record.get('query') or '').lower().split())
    return vid, query.rstrip(' .?!')


def _settle(
    record: Record,
    annotation: Record,
    windows: str,
    order: str,
    grid: float | None,
    notes: Counter[str],
) -> None:
    """Mend and sort the lists of an answer, in place."""
    rows = record.get(WINDOWS)
    if windows == 'repair' and isinstance(rows, list | np.ndarray):
        rows = _mended(list(rows), annotation.get('duration'), notes)
        record[WINDOWS] = rows
    scores = record.get(SCORES)
    if windows == 'repair' and isinstance(scores, list):
        record[SCORES] = _finite(scores, notes)
    try:
        table = np.asarray(rows, np.float64)
    except (TypeError, ValueError, OverflowError):
        return
    if table.ndim != 2 or table.shape[1] != 3 or not np.isfinite(table).all():
        return
    if grid:
        table[:, :2] = np.round(table[:, :2] / grid) * grid
        record[WINDOWS] = table
    if order == 'score' and (table[1:, 2] > table[:-1, 2]).any():
        notes['queries whose windows were not sorted by falling score, sorted now'] += 1
        record[WINDOWS] = table[np.argsort(-table[:, 2], kind='stable')]


def _mended(rows: list[Any], duration: Any, notes: Counter[str]) -> list[list[float]]:
    limit = duration if is_number(duration, 0) else np.inf
    mended = []
    for row in rows:
        values = row.tolist() if isinstance(row, np.ndarray) else row
        whole = isinstance(values, list | tuple) and len(values) in (2, 3)
        if not whole or not all(map(is_number, values)):
            notes['predicted windows that are no finite numbers, left out'] += 1
            continue
        start, end, *score = map(float, values)
        if end < start:
            notes['predicted windows that end before they start, turned'] += 1
            start, end = end, start
        if start < -TOLERANCE or end > limit + TOLERANCE:
            notes['predicted windows that begin before 0 or end after the video, cut'] += 1
        start, end = min(max(start, 0.0), limit), min(max(end, 0.0), limit)
        mended.append([start, end, score[0] if score else 1.0])
    return mended


def _finite(scores: list[Any], notes: Counter[str]) -> list[float]:
    """The clip scores with the lowest of them in the place of what are no finite numbers."""
    good = [float(score) for score in scores if is_number(score)]
    if len(good) == len(scores) or not good:
        notes['predictions without any finite score'] += bool(scores and not good)
        return good
    notes['predictions with scores that are no finite numbers, set to their lowest'] += 1
    lowest = min(good)
    return [float(score) if is_number(score) else lowest for score in scores]


def _lacks(record: Record, name: str, empty_is_answer: bool) -> bool:
    """Whether a list is absent or empty."""
    value = record.get(name)
    if value is None:
        return not (name == WINDOWS and empty_is_answer and record.get(EXISTENCE) is not None)
    if name == WINDOWS and empty_is_answer:
        return False
    return isinstance(value, list | tuple | np.ndarray) and len(value) == 0


def _filled(record: Record, annotation: Record, lacking: list[str], missing: str) -> Record:
    """The record with an answer that is wrong, or the whole video, in the place of none."""
    filled = dict(record)
    if WINDOWS in lacking:
        duration = annotation.get('duration')
        whole = missing == 'full-video' and is_number(duration, 0)
        filled[WINDOWS] = [[0.0, duration, 0.0] if whole else list(MISS)]
    if SCORES in lacking:
        filled |= {SCORES: [], UNANSWERED: True}
    return filled
