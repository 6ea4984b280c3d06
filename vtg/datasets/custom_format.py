# SPDX-License-Identifier: Apache-2.0
"""The annotation format for own data: one JSON object per line, one line per query.

======== ======== ==========================================================================
field    needed   meaning
======== ======== ==========================================================================
video    always   name of the video, and of its feature file
duration always   length of the video in seconds
query    always   the sentence
windows  training moments ``[[start, end], ...]`` in seconds
saliency never    one grade per clip, from 0 (nothing to see) to 4 (very good)
qid      never    id of the query, ``<file>-<line>`` by default; names its text features
======== ======== ==========================================================================

Further fields are carried along. ``docs/custom_data.md`` shows the format at work.
"""

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vtg.utils import DataError, file_name, nearest_names

from .annotations import Record
from .survey import implied_clips

REQUIRED = ('video', 'duration', 'query')
FIELDS = (*REQUIRED, 'windows', 'saliency', 'qid')
TOP_GRADE = 4
_RENAMED = {'video': 'vid', 'windows': 'relevant_windows'}


class Line(NamedTuple):
    """A line of an annotation file: its number from 1, its record if it has one, and problems."""

    number: int
    record: Record | None
    problems: list[str]


def read_lines(path: str | Path) -> Iterator[Line]:
    """Yield every line of a JSON-lines file that is not blank, readable or not.

    Raises:
        DataError: The file as a whole cannot be read.
    """
    path = Path(path)
    try:
        opener = gzip.open if path.suffix == '.gz' else open
        with opener(path, 'rt', encoding='utf-8') as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    yield _parse(number, text)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f'{path} cannot be read ({error}); write it again.') from None


def _parse(number: int, text: str) -> Line:
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        problem = f'not valid JSON ({error.msg} at column {error.colno})'
        return Line(number, None, [f'{problem}; every line must be one complete JSON object.'])
    if not isinstance(record, dict):
        kind = type(record).__name__
        return Line(number, None, [f'expected a JSON object in braces, got {kind}.'])
    return Line(number, record, [])


def read_custom(
    path: str | Path, clip_length: float, labelled: bool = False, tolerance: int = 1
) -> Iterator[Line]:
    """Yield the lines of an annotation file with their problems and internal records.

    Args:
        path: ``.jsonl`` or ``.jsonl.gz``.
        clip_length: Seconds per clip.
        labelled: Every query needs at least one window, as training does.
        tolerance: How many grades more or fewer than clips are accepted.
    """
    stem = Path(path).name.split('.')[0]
    seen: dict[Any, int] = {}
    for line in read_lines(path):
        if line.record is None:
            yield line
            continue
        raw = line.record
        problems = list(problems_of(raw, clip_length, labelled, tolerance))
        qid = raw.get('qid', f'{stem}-{line.number}')
        first = seen.setdefault(str(qid), line.number)
        if first != line.number:
            problems.append(f'the qid {qid!r} is already used in line {first}; use another one.')
        record = None if problems else to_record(raw, qid)
        yield Line(line.number, record, problems)


def read_queries(path: str | Path) -> list[Record]:
    """Read the queries of an annotation file, in this format or that of the benchmarks.

    Labels are not looked at. Every record has ``qid``, given or by default, and ``query``.

    Raises:
        DataError: A line is unreadable, has no query, or a qid that can name no file; names it.
    """
    stem = Path(path).name.split('.')[0]
    records = []
    for number, raw, problems in read_lines(path):
        if raw is not None and not isinstance(raw.get('query'), str):
            problems = ['there is no query, a text.']
        if problems:
            raise DataError(f'{path}, line {number}: {problems[0]}')
        record = {'qid': f'{stem}-{number}', **raw}
        file_name(record['qid'], f'{path}, line {number}, qid')
        records.append(record)
    return records


def to_record(raw: Record, qid: int | str) -> Record:
    """Turn a correct line into an internal record."""
    record = {_RENAMED.get(name, name): value for name, value in raw.items()}
    return {**record, 'qid': qid, 'vid': str(raw['video'])}


def problems_of(
    raw: Record, clip_length: float, labelled: bool = False, tolerance: int = 1
) -> Iterator[str]:
    """Yield a sentence for everything that is wrong with a line."""
    for name in REQUIRED:
        if name not in raw:
            close = nearest_names(name, [key for key in raw if key not in FIELDS])
            hint = f'; is {close[0]!r} meant?' if close else '.'
            yield f'there is no field {name!r}{hint}'
    yield from _misspelled(raw)
    if 'video' in raw and not (isinstance(raw['video'], str) and raw['video'].strip()):
        yield f'video is {raw["video"]!r}; expected the name of its feature file.'
    query = raw.get('query', 'none')
    if not isinstance(query, str) or not query.split():
        yield f'the query {query!r} has no words.'
    if 'qid' in raw and not _is_id(raw['qid']):
        yield f'qid is {raw["qid"]!r}; expected a text or a whole number.'
    duration = raw.get('duration')
    if 'duration' in raw and not (_is_number(duration) and duration > 0):
        yield f'duration is {duration!r}; expected a positive number of seconds.'
        duration = None
    yield from _window_problems(raw.get('windows'), duration)
    if labelled and not raw.get('windows'):
        yield 'there are no windows; training needs at least one per query.'
    if raw.get('saliency') is not None:
        yield from _saliency_problems(raw['saliency'], duration, clip_length, tolerance)


def _misspelled(raw: Record) -> Iterator[str]:
    """A label under another name would be ignored without a word."""
    for name in ('windows', 'saliency'):
        others = [key for key in raw if key not in FIELDS]
        close = nearest_names(name, others) if name not in raw else []
        if close:
            yield f'there is a field {close[0]!r} but none {name!r}; rename or remove it.'


def _window_problems(windows: Any, duration: float | None) -> Iterator[str]:
    if windows is None:
        return
    pairs = isinstance(windows, list) and all(
        isinstance(window, list) and len(window) == 2 and all(map(_is_number, window))
        for window in windows
    )
    if not pairs:
        yield f'windows is {_short(windows)}; expected a list of [start, end] in seconds.'
        return
    for start, end in windows:
        if end <= start:
            yield f'window [{start}, {end}] does not end after its start.'
        elif start < 0 or (duration is not None and end > duration):
            yield f'window [{start}, {end}] lies outside the video (0 to {duration} s).'


def _saliency_problems(
    saliency: Any, duration: float | None, clip_length: float, tolerance: int
) -> Iterator[str]:
    if not isinstance(saliency, list) or not all(map(_is_number, saliency)):
        yield f'saliency is {_short(saliency)}; expected a list with one number per clip.'
        return
    wrong = [grade for grade in saliency if not 0 <= grade <= TOP_GRADE]
    if wrong:
        yield f'saliency has the grade {wrong[0]}; expected numbers from 0 to {TOP_GRADE}.'
    if duration is not None:
        clips = implied_clips({'duration': duration}, clip_length)
        if abs(len(saliency) - clips) > tolerance:
            yield (
                f'saliency has {len(saliency)} numbers; expected {clips}, one per clip '
                f'({duration} s at {clip_length:g} s per clip).'
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ''


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'
