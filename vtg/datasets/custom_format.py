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

from collections.abc import Iterator
from pathlib import Path

from vtg.utils import DataError, Record, nearest_names, shown

from .annotations import Line, UsedIds, read_lines
from .census import Reading
from .record_checks import (
    duration_problems,
    fit_windows,
    grade_problems,
    id_problems,
    query_problems,
    unreachable_problems,
    window_problems,
)
from .survey import implied_clips

REQUIRED = ('video', 'duration', 'query')
FIELDS = (*REQUIRED, 'windows', 'saliency', 'qid')
_RENAMED = {'video': 'vid', 'windows': 'relevant_windows'}
_OWN = {internal: own for own, internal in _RENAMED.items()}
# Fields that mean something in the format of the benchmarks; here they are none of the labels.
_FOREIGN = ('vid', 'relevant_windows', 'relevant_clip_ids', 'saliency_scores', 'label')


def read_custom(
    path: str | Path,
    clip_length: float,
    labelled: bool = False,
    tolerance: int = 1,
    reading: Reading | None = None,
) -> Iterator[Line]:
    """Yield the lines of an annotation file with their problems and internal records.

    Args:
        path: ``.jsonl`` or ``.jsonl.gz``.
        clip_length: Seconds per clip.
        labelled: Every query needs its windows, ``[]`` where it has no moment, as in training.
        tolerance: How many grades more or fewer than clips are accepted.
        reading: Counts the records, and mends them where its tolerance says so.
    """
    stem = Path(path).name.split('.')[0]
    used = UsedIds()
    reading = reading or Reading(clip_length)
    for line in read_lines(path):
        if line.record is None:
            yield line
            continue
        raw = settled_line({'qid': f'{stem}-{line.number}', **line.record}, reading)
        if raw is None:
            yield Line(line.number, None, [])
            continue
        problems = list(problems_of(raw, clip_length, labelled, tolerance))
        problems += used.problems(raw['qid'], line.number)
        record: Record | None = None
        if not problems:
            record = reading.finish(to_record(raw, raw['qid']), training=labelled)
        yield Line(line.number, record, problems)


def settled_line(raw: Record, reading: Reading) -> Record | None:
    """Count and mend a line under the internal names, and give it its own names back."""
    own = {name: value for name, value in raw.items() if name not in _FOREIGN}
    settled = reading.settle({_RENAMED.get(name, name): value for name, value in own.items()})
    if settled is None:
        return None
    foreign = {name: value for name, value in raw.items() if name in _FOREIGN}
    return {**foreign, **{_OWN.get(name, name): value for name, value in settled.items()}}


def read_queries(path: str | Path) -> list[Record]:
    """Read the queries of an annotation file, in this format or that of the benchmarks.

    Labels are not looked at. Every record has ``qid``, given or by default, and ``query``.

    Raises:
        DataError: A line is unreadable, has no query, or a qid that can name no file (names it), or
            there is none.
    """
    stem = Path(path).name.split('.')[0]
    records: list[Record] = []
    queries: dict[str, str] = {}
    for number, raw, problems in read_lines(path):
        if raw is not None:
            raw = {'qid': f'{stem}-{number}', **raw}
            problems = list(_query_problems(raw, queries))
        if raw is None or problems:
            raise DataError(f'{path}, line {number}: {problems[0]}')
        records.append(raw)
    if not records:
        raise DataError(f'{path} holds no query; expected one JSON object per line.')
    return records


def _query_problems(raw: Record, queries: dict[str, str]) -> Iterator[str]:
    """Look at ids and text, and note the query of the id: two queries cannot share features."""
    for name in ('qid', 'vid', 'video'):
        if name in raw:
            yield from id_problems(name, raw[name])
    if not isinstance(raw.get('query'), str):
        yield 'there is no query, a text.'
    elif queries.setdefault(str(raw['qid']), raw['query']) != raw['query']:
        yield f'the qid {shown(raw["qid"])} is already used by another query; use another one.'


def to_record(raw: Record, qid: int | str) -> Record:
    """Turn a correct line into an internal record."""
    record = {
        _RENAMED.get(name, name): value
        for name, value in raw.items()
        if name not in _FOREIGN and not name.startswith('_')
    }
    if raw.get('windows'):
        record['relevant_windows'] = fit_windows(raw['windows'], raw['duration'])
    return {**record, 'qid': qid, 'vid': raw['video']}


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
    if 'video' in raw:
        if isinstance(raw['video'], str):
            yield from id_problems('video', raw['video'])
        else:
            yield f'video is {shown(raw["video"])}; expected the name of its feature file.'
    if 'qid' in raw:
        yield from id_problems('qid', raw['qid'])
    yield from query_problems(raw.get('query', 'none'))
    duration = raw.get('duration')
    wrong = list(duration_problems(duration)) if 'duration' in raw else []
    yield from wrong
    duration = None if wrong else duration
    windows, grades = raw.get('windows'), raw.get('saliency')
    if windows is not None:
        hidden = raw.get('unreachable') is not None
        yield from window_problems('windows', windows, duration, hidden)
    yield from unreachable_problems(raw.get('unreachable'))
    if labelled and windows is None:
        yield 'there are no windows; training needs them ([] where a query has no moment).'
    if grades is not None:
        clips = None if duration is None else implied_clips({'duration': duration}, clip_length)
        yield from grade_problems(grades, duration, clips, clip_length, tolerance)


def _misspelled(raw: Record) -> Iterator[str]:
    """A label under another name would be ignored without a word."""
    for name in ('windows', 'saliency'):
        others = [key for key in raw if key not in FIELDS]
        close = nearest_names(name, others) if name not in raw else []
        if close:
            yield f'there is a field {close[0]!r} but none {name!r}; rename or remove it.'
