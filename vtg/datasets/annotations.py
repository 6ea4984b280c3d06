# SPDX-License-Identifier: Apache-2.0
"""Reading an annotation file and checking it as a whole.

A record has ``qid``, ``query``, ``vid``, ``duration`` (seconds) and, where labelled,
``relevant_windows`` (seconds), ``relevant_clip_ids`` and ``saliency_scores``, or ``label``, a row
of ratings per clip. All lines of a file are checked before anything else is done with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vtg.formats import advice
from vtg.utils import DataError, Record, is_number, read_json_lines, shown

from .census import Reading
from .record_checks import (
    duration_problems,
    fit_windows,
    id_problems,
    query_problems,
    rating_problems,
    score_problems,
    unreachable_problems,
    window_problems,
)

FIELDS = ('qid', 'query', 'vid', 'duration')
# A line with none of them is none of ours.
_NAMES = {*FIELDS, 'video', 'windows', 'relevant_windows'} - {'duration'}
_OF_CLIPS = ('relevant_clip_ids', 'saliency_scores')


class Line(NamedTuple):
    """A line of an annotation file: its number from 1, its record if it has one, and problems."""

    number: int
    record: Record | None
    problems: list[str]


def find_annotations(path: str | Path) -> Path | None:
    """Return ``path`` or its gzip twin ``path.gz``, whichever exists."""
    candidates = (Path(path), Path(f'{path}.gz'))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def read_lines(path: str | Path) -> Iterator[Line]:
    """Yield every line of a JSON-lines file that is not blank, readable or not.

    Raises:
        DataError: The file as a whole cannot be read, or holds no JSON lines; says what it looks
            like and what reads it.
    """
    first = True
    for number, record, problem in read_json_lines(path):
        if first and (record is None or not _NAMES & record.keys()):
            text = advice(path, problem)
            if text:
                raise DataError(text)
        first = False
        yield Line(number, record, [problem] if problem else [])


class UsedIds:
    """The ids of a file so far. 1 and ``'1'`` are one: they would share a file of features."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}

    def problems(self, qid: Any, number: int, unit: str = 'line') -> Iterator[str]:
        """Note the id of a record, and say where it was used before."""
        if not isinstance(qid, str | int):
            return
        first = self._first.setdefault(str(qid), number)
        if first != number:
            yield (
                f'the qid {shown(qid)} is already used in {unit} {first}; every qid may occur once.'
            )


def read_records(
    path: str | Path,
    clip_length: float,
    required: Sequence[str] = (),
    domain: str | None = None,
    duration_unit: str = 'seconds',
    reading: Reading | None = None,
) -> Iterator[Line]:
    """Yield the lines of an annotation file with their problems and records.

    Windows that end after the video by rounding are cut; durations are in seconds. A line that is
    left out has neither.

    Args:
        path: ``.jsonl`` or ``.jsonl.gz``.
        clip_length: Seconds per clip.
        required: See :func:`check_records`.
        domain: Records of other domains are passed on as they are.
        duration_unit: ``'clips'`` where the durations of the file count clips.
        reading: Counts the records, and mends them where its tolerance says so.
    """
    used = UsedIds()
    reading = reading or Reading(clip_length)
    for line in read_lines(path):
        raw = line.record
        if raw is None or (domain is not None and raw.get('domain') != domain):
            yield line
            continue
        settled = reading.settle(in_seconds(raw, clip_length, duration_unit))
        if settled is None:
            yield Line(line.number, None, [])
            continue
        problems = [
            *record_problems(settled, required, clip_length),
            *used.problems(settled.get('qid'), line.number),
        ]
        yield Line(line.number, None if problems else _final(settled, required, reading), problems)


def in_seconds(record: Record, clip_length: float, duration_unit: str) -> Record:
    """Return the record with a duration in seconds, where it is a number of clips."""
    if duration_unit == 'clips' and is_number(record.get('duration')):
        return {**record, 'duration': record['duration'] * clip_length}
    return record


def correct_records(lines: Iterable[Line], path: str | Path) -> list[Record]:
    """Return the records of all lines.

    Raises:
        DataError: A line is wrong; names the first one and how many there are. Or there is none.
    """
    records: list[Record] = []
    first: Line | None = None
    wrong = 0
    for line in lines:
        if line.problems:
            first = first or line
            wrong += 1
        elif line.record is not None:
            records.append(line.record)
    if first is not None:
        more = f' {wrong} lines are wrong,' if wrong > 1 else ''
        raise DataError(
            f'{path}, line {first.number}: {first.problems[0]}{more} tools/validate_dataset.py '
            'lists every problem.'
        )
    if not records:
        raise DataError(f'{path} holds no record; expected one JSON object per line.')
    return records


def record_problems(
    record: Record, required: Sequence[str] = (), clip_length: float | None = None
) -> Iterator[str]:
    """Yield a sentence for everything that is wrong with a record; see :func:`check_records`."""
    for name in FIELDS:
        if name not in record:
            yield f'there is no field {name!r}; every record needs {", ".join(FIELDS)}.'
    for name in ('qid', 'vid'):
        if name in record:
            yield from id_problems(name, record[name])
    yield from query_problems(record.get('query', 'none'))
    duration = record.get('duration')
    wrong = list(duration_problems(duration)) if 'duration' in record else []
    yield from wrong
    seconds = None if wrong or duration is None else duration
    if record.get('relevant_windows') is not None:
        hidden = record.get('unreachable') is not None
        yield from window_problems('relevant_windows', record['relevant_windows'], seconds, hidden)
    yield from unreachable_problems(record.get('unreachable'))
    if not isinstance(record.get('no_answer', False), bool):
        yield f'no_answer is {shown(record["no_answer"])}; expected true or false.'
    clips, scores = record.get('relevant_clip_ids'), record.get('saliency_scores')
    yield from score_problems(clips, scores, seconds, clip_length)
    if record.get('label') is not None:
        yield from rating_problems(record['label'])
    for name in required:
        if record.get(name) is None:
            if _is_null(record) and name in _OF_CLIPS:
                continue
            yield (
                f'there is no {name!r}; training needs it, so use a labelled file or remove the '
                'record.'
            )
        elif name == 'relevant_clip_ids' and _is_null(record) and record[name]:
            yield (
                f"'relevant_windows' is empty, which means no moment, but {name} is "
                f'{shown(record[name])}; empty both or give the windows.'
            )


def _is_null(record: Record) -> bool:
    """Whether a query has no moment, and so no relevant clips, which need not be said."""
    return record.get('relevant_windows') == []


def _final(record: Record, required: Sequence[str], reading: Reading) -> Record | None:
    """Return a checked record as the dataset keeps it; ``required`` tells training from testing."""
    windows = record.get('relevant_windows')
    if windows:
        record = {**record, 'relevant_windows': fit_windows(windows, record['duration'])}
    elif _is_null(record):
        missing = (name for name in _OF_CLIPS if record.get(name) is None and name in required)
        record = {**record, **{name: [] for name in missing}}
    return reading.finish(record, training=bool(required))


def check_records(
    records: Sequence[Record], path: str | Path, required: Sequence[str] = ()
) -> None:
    """Check records that do not come from the lines of a file.

    Args:
        records: The records in order.
        path: Named in the errors.
        required: Label fields that every record needs. Training passes those its labels are made
            from; evaluation passes none, since test files come without labels.

    Raises:
        DataError: A field is missing, an id cannot name a file or repeats, a query has no words, a
            window lies outside the video or does not end after its start, clip ids and scores do
            not match, or ratings are malformed.
    """
    if not records:
        raise DataError(f'{path} holds no record; expected at least one.')
    used = UsedIds()
    for number, record in enumerate(records, start=1):
        problems = [
            *record_problems(record, required),
            *used.problems(record.get('qid'), number, 'record'),
        ]
        if problems:
            raise DataError(
                f'{path}, record {number} (qid {shown(record.get("qid"))}): {problems[0]}'
            )


def flatten_windows(records: Sequence[Record]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all windows ``(W, 2)``, the record of each ``(W,)`` and the counts ``(records,)``."""
    windows = [record.get('relevant_windows') or [] for record in records]
    counts = np.asarray([len(group) for group in windows], dtype=np.int64)
    flat = [window for group in windows for window in group]
    owner = np.repeat(np.arange(len(records)), counts)
    return np.asarray(flat, dtype=np.float64).reshape(-1, 2), owner, counts
