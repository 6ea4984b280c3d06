# SPDX-License-Identifier: Apache-2.0
"""Answers in any of the known formats, brought into ours."""

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vtg.evaluation.functional.padding import pack_rows
from vtg.utils import ConfigError, DataError, Record, is_number, nearest_names, shown

from .files import RawFile, read_raw
from .formats import (
    EXISTENCE,
    EXISTENCE_FIELDS,
    FORMATS,
    KEY_SEPARATOR,
    QID,
    QUERY,
    SCORES,
    WINDOWS,
    AnswerFormat,
    named,
    video_of,
)

FIELDS = (WINDOWS, SCORES)
KEPT = ('qid', 'vid', EXISTENCE, 'pred_answered', *FIELDS)
_LOOKED_AT = 50
"""Records by which a format is recognised."""
UNPARSED = 'answers whose times could not be read'
_TEXTS_READ = 'answers that are texts, of which the times were read'


@dataclass(frozen=True)
class Answers:
    """The answers of a file in our fields.

    Attributes:
        path: The file.
        records: ``qid`` (None where the file has none), ``vid``, ``query`` and what there is of
            ``pred_relevant_windows`` (``[[start_s, end_s, score], ...]``; None where an answer
            could not be read), ``pred_saliency_scores`` and ``pred_exist_score``.
        places: ``'line 3'`` of every record.
        format: Name of the format, ``'vtg'`` for ours.
        own: Whether this is a file of ours: JSON lines in our format.
        notes: What was done, with its count.
    """

    path: Path
    records: list[Record]
    places: list[str]
    format: str
    own: bool
    notes: dict[str, int] = field(default_factory=dict)

    def where(self, qid: Any) -> str:
        """File and place of the answer to a query."""
        return RawFile(self.path, self.records, self.places).where(qid)

    @property
    def fields(self) -> list[str]:
        """Which of windows and clip scores the file holds."""
        return [name for name in FIELDS if any(name in record for record in self.records)]


def read_answers(path: str | Path, fmt: str | None = None) -> Answers:
    """Read a prediction file: JSON lines, a JSON list or a JSON object, plain or ``.gz``.

    The formats are those of :data:`vtg.evaluation.reading.FORMATS`. Records in our own format stay
    as they are; what others mean is read as their own evaluation reads it.

    Args:
        path: The file.
        fmt: Name of the format; None recognises it.

    Raises:
        DataError: The file cannot be read or is in no known format.
        ConfigError: ``fmt`` is no format.
    """
    if fmt is not None and fmt not in FORMATS:
        close = nearest_names(fmt, FORMATS) or list(FORMATS)
        raise ConfigError(f'there is no format {fmt!r} of answers; choose {" or ".join(close)}.')
    raw = read_raw(path, _packed)
    chosen = FORMATS[fmt] if fmt else _recognised(raw)
    if chosen.name == 'vtg' and not raw.keys:
        return Answers(raw.path, raw.records, raw.places, 'vtg', raw.lines)
    notes: Counter[str] = Counter()
    keys = raw.keys or ('',) * len(raw.records)
    records = [_translated(record, key, chosen, notes) for record, key in zip(raw.records, keys)]
    return Answers(raw.path, records, raw.places, chosen.name, False, dict(notes))


def _recognised(raw: RawFile) -> AnswerFormat:
    """The format that most of the first records are in; ours where nothing tells."""
    keys = raw.keys or ('',) * len(raw.records)
    votes: Counter[str] = Counter()
    for record, key in zip(raw.records[:_LOOKED_AT], keys):
        name = next((n for n, one in FORMATS.items() if one.recognises(record, key)), None)
        if name is not None:
            votes[name] += 1
    if votes:
        return FORMATS[votes.most_common(1)[0][0]]
    if raw.records and 'qid' not in raw.records[0]:
        titles = '; '.join(f'{name}: {one.title}' for name, one in FORMATS.items())
        fields = ', '.join(map(shown, list(raw.records[0])[:8])) or 'nothing'
        raise DataError(
            f'{raw.path}, {raw.places[0]} has the fields {fields}; expected a prediction in one of '
            f'the formats {titles}.'
        )
    return FORMATS['vtg']


def _packed(records: list[Record]) -> None:
    """Keep of predictions in our format what is evaluated, and the numbers in one array."""
    if not records or not any(name in records[0] for name in FIELDS):
        return
    for record in records:
        for name in record.keys() - set(KEPT):
            if name not in EXISTENCE_FIELDS:
                del record[name]
        _take_existence(record, record)
    for name, width in zip(FIELDS, (3, None)):
        pack_rows(records, name, width)


def _take_existence(source: Record, target: Record) -> None:
    value = named(source, EXISTENCE_FIELDS)
    for name in EXISTENCE_FIELDS[1:]:
        target.pop(name, None)
    if value is not None:
        target[EXISTENCE] = value


def _translated(record: Record, key: str, fmt: AnswerFormat, notes: Counter[str]) -> Record:
    """An answer in our fields."""
    answer: Record = {'qid': named(record, QID), 'vid': video_of(record)}
    query = named(record, QUERY)
    answer['query'] = query if isinstance(query, str) else None
    if KEY_SEPARATOR in key:
        answer['vid'], answer['query'], *rest = key.split(KEY_SEPARATOR)
        if rest:
            answer['span'] = rest[0]
    elif key and answer['qid'] is None:
        answer['qid'] = key
    if fmt.name == 'nlq':
        parts = [record.get(name) for name in ('clip_uid', 'annotation_uid', 'query_idx')]
        answer['qid'] = '_'.join(map(str, parts))
    if fmt.name == 'vtg':
        answer |= {name: record[name] for name in (*FIELDS, 'pred_answered') if name in record}
    else:
        answer[WINDOWS] = _windows(record, fmt, notes)
    _take_existence(record, answer)
    return answer


def _windows(record: Record, fmt: AnswerFormat, notes: Counter[str]) -> list[list[float]] | None:
    """The windows of an answer, best first; None where it could not be read."""
    rows = next((record[n] for n in fmt.windows if isinstance(record.get(n), list)), None)
    if rows is None or any(isinstance(row, str) for row in rows):
        text = named(record, fmt.texts or fmt.windows)
        if isinstance(text, list) and text:
            text = text[0]
        rows = fmt.spans(text) if isinstance(text, str) else []
        notes[_TEXTS_READ if rows else UNPARSED] += 1
        if not rows:
            return None
    if rows and all(is_number(value) for value in rows):
        rows = [rows]  # one window without a list around it
    scores = named(record, fmt.scores) if fmt.scores else None
    windows = []
    for index, row in enumerate(rows):
        score = 1.0
        if isinstance(scores, list) and index < len(scores) and is_number(scores[index]):
            score = float(scores[index])
        if isinstance(row, list) and len(row) == 3 and is_number(row[2]):
            score = float(row[2])
        if not isinstance(row, list) or len(row) not in (2, 3) or not all(map(_is_real, row[:2])):
            notes['windows that are no two numbers, left out'] += 1
            continue
        start, end = float(row[0]), float(row[1])
        if end < start and fmt.swaps:
            notes['windows the wrong way round, turned as in their own evaluation'] += 1
            start, end = end, start
        windows.append([start, end, score])
    if not windows:
        notes['answers without a window'] += 1
    if fmt.scores and windows == [[0.0, record.get('duration'), 0.0]]:
        notes['whole videos with confidence 0, as VideoMind writes where it found nothing'] += 1
    return windows


def _is_real(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)


def check_qids(answers: Answers | RawFile, hint: str = '') -> None:
    """Raise :class:`DataError` where a qid is no integer or string, or occurs twice."""
    seen: dict[Any, str] = {}
    for record, place in zip(answers.records, answers.places):
        qid = record.get('qid')
        if isinstance(qid, bool) or not isinstance(qid, int | str):
            raise DataError(
                f'{answers.path}, {place}: the qid is {shown(qid)}; expected an integer or a '
                'string.'
            )
        first = seen.setdefault(qid, place)
        if first != place:
            raise DataError(
                f'{answers.path}, {place}: the qid {shown(qid)} occurs twice, first in {first}; '
                f'keep one record per query{hint}.'
            )


def check_fields(answers: Answers) -> None:
    """Raise :class:`DataError` where a later record has a list that the first one lacks."""
    for name in FIELDS:
        given = [record.get(name) is not None for record in answers.records]
        if any(given) and not given[0]:
            raise DataError(
                f'{answers.path}, {answers.places[0]} has no `{name}`, but '
                f'{answers.places[given.index(True)]} has; write them for every query or for none, '
                'or count those without as wrong with --missing wrong.'
            )
