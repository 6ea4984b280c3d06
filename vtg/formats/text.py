# SPDX-License-Identifier: Apache-2.0
"""Formats that are no JSON: the text files of Charades-STA, and tables."""

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from vtg.registry import ANNOTATION_FORMATS
from vtg.utils import ConfigError, DataError, Record, read_text, shown
from vtg.utils.tables import parse_csv

from .base import AnnotationFormat

_LINE = re.compile(r'(\S+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s*##(.*)', re.DOTALL)
_NAME = re.compile(r'[A-Za-z][\w .-]*')
_FIELDS = ('vid', 'query', 'start', 'end', 'duration', 'qid')


@ANNOTATION_FORMATS.register_module(name=['charades_sta', 'umt_charades'])
class CharadesSta(AnnotationFormat):
    """Charades-STA as published (Gao et al., 2017): lines ``VID start end##sentence``.

    With the lengths of ``Charades_v1_{train,test}.csv`` the result is that of the files in the
    common format that everybody trains on: reversed windows are left out, ends cut to the video.

    Args:
        lengths: Seconds of a video.
        first_qid: The first id: 0 for the training file, 12404 for the test file.
    """

    title = 'Charades-STA: lines of VID start end##sentence'
    clip_length = 1.0
    reversed_windows = 'drop'
    white_space = 'keep'

    def __init__(self, lengths: Any = None, first_qid: int = 0) -> None:
        if lengths is None:
            raise ConfigError(
                'Charades-STA has no lengths of videos; give the csv of Charades with their '
                'lengths (--lengths) or the folder of the videos (--videos).'
            )
        super().__init__(lengths)
        self.first_qid = first_qid

    def read(self, path: Path) -> Iterator[Record]:
        """See :class:`AnnotationFormat`."""
        qid = self.first_qid
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            if not line.strip():
                continue
            # A sentence may hold a single # ("person #1").
            found = _LINE.fullmatch(line)
            try:
                if found is None:
                    raise ValueError
                vid, start, end = found[1], float(found[2]), float(found[3])
            except ValueError:
                raise self.refuse(path, f'line {number}', f'found {shown(line[:80])}') from None
            # Ids count the records that stay: a reversed window is left out.
            kept = start <= end
            yield {
                'qid': qid if kept else f'line-{number}',
                'query': found[4],
                'duration': self.lengths(vid) if self.lengths else None,
                'vid': vid,
                'relevant_windows': [[start, end]],
            }
            qid += kept

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        return isinstance(content, str) and bool(_LINE.match(content.split('\n')[0]))


@ANNOTATION_FORMATS.register_module(name='csv')
class Csv(AnnotationFormat):
    """A table with a header line; commas, semicolons and tabs are told apart.

    Rows with the same ``qid``, or without such a column the same video and sentence one after
    another, are the windows of one query; a row without times says that there is no moment.

    Args:
        columns: Which column is which field: ``vid``, ``query``, ``start``, ``end`` and, where the
            table has them, ``duration`` and ``qid``. The same name where it is not given.
        lengths: Seconds of a video, where there is no column of them.
    """

    title = 'a table with a header line and columns for vid, query, start and end'

    def __init__(self, columns: Mapping[str, str] | None = None, lengths: Any = None) -> None:
        super().__init__(lengths)
        unknown = set(columns or {}) - set(_FIELDS)
        if unknown:
            raise ConfigError(
                f'{sorted(unknown)[0]!r} is no field of an annotation; columns are named as '
                f'FIELD=COLUMN, with the fields {", ".join(_FIELDS)}.'
            )
        self.columns = {name: (columns or {}).get(name, name) for name in _FIELDS}
        self.named = set(columns or {})

    def read(self, path: Path) -> Iterator[Record]:
        """See :class:`AnnotationFormat`."""
        header, rows = _table(path)
        needed = {'vid', 'query', 'start', 'end', *self.named}
        needed |= set() if self.lengths else {'duration'}
        for name in _FIELDS:
            if name in needed and self.columns[name] not in header:
                raise self.refuse(
                    path,
                    'line 1',
                    f'there is no column {shown(self.columns[name])} for {name}, but '
                    f'{", ".join(map(str, header[:12])) or "none"} (--columns {name}=COLUMN names '
                    'it)',
                )
        records = [self._record(row, path, line) for line, row in rows]
        with_qid = self.columns['qid'] in header
        names = ('vid', 'query', 'qid') if with_qid else ('vid', 'query')
        for _, group in groupby(records, key=itemgetter(*names)):
            yield self._joined(list(group), path)

    def _joined(self, group: list[Record], path: Path) -> Record:
        """The record of the rows of one query."""
        first = group[0]
        windows = [window for row in group for window in row['relevant_windows']]
        problem = None
        if any(row['duration'] != first['duration'] for row in group):
            problem = 'its rows have several durations'
        elif windows and len(windows) < len(group):
            problem = 'some of its rows have times, and some say that there is no moment'
        if problem:
            query = f'query {shown(first["query"])} of video {shown(first["vid"])}'
            raise self.refuse(path, query, problem)
        return {**first, 'relevant_windows': windows}

    def _record(self, row: Mapping[str, str], path: Path, line: int) -> Record:
        cells = {name: row.get(column) for name, column in self.columns.items()}
        times, given = [cells['start'], cells['end']], cells['duration']
        vid = str(cells['vid'])
        try:
            windows = [[float(time or '') for time in times]] if any(times) else []
            known = self.lengths is None or given
            duration = float(given or '') if known or not self.lengths else self.lengths(vid)
        except ValueError:
            found = [*times, given]
            raise self.refuse(
                path, f'line {line}', f'start, end and duration are {shown(found)}, not all numbers'
            ) from None
        stem = path.name.split('.')[0]
        return {
            'qid': f'{stem}-{line}' if cells['qid'] is None else cells['qid'],
            'query': cells['query'],
            'duration': duration,
            'vid': vid,
            'relevant_windows': windows,
        }

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """See :class:`AnnotationFormat`."""
        if not isinstance(content, str):
            return False
        cells = content.split('\n')[0].strip().split(_delimiter(content))
        return len(cells) >= 3 and all(_NAME.fullmatch(cell.strip(' "')) for cell in cells)


def _delimiter(text: str) -> str:
    first = text.split('\n')[0]
    return max(',;\t', key=first.count)


def read_lengths(path: Path) -> dict[str, float]:
    """Read the seconds of videos from a csv with the columns ``id`` and ``length``.

    ``vid``, ``video`` and ``duration`` are understood too, as is a file of Charades with more.

    Raises:
        DataError: A column is missing, or a length is no number.
    """
    header, rows = _table(path)
    vid = next((name for name in ('id', 'vid', 'video') if name in header), None)
    length = next((name for name in ('length', 'duration') if name in header), None)
    if vid is None or length is None:
        raise DataError(
            f'{path} has the columns {", ".join(map(str, header[:12])) or "none"}; expected id and '
            'length, the seconds of every video.'
        )
    found: dict[str, float] = {}
    for line, row in rows:
        try:
            seconds = float(row[length])
        except ValueError:
            raise DataError(
                f'{path}, line {line}: the length is {shown(row[length])}; expected seconds.'
            ) from None
        if found.setdefault(row[vid], seconds) != seconds:
            raise DataError(
                f'{path}, line {line}: the video {shown(row[vid])} has the length {seconds:g} s, '
                f'but {found[row[vid]]:g} s above; keep the right one.'
            )
    return found


def _table(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """See :func:`vtg.utils.tables.parse_csv`."""
    text = read_text(path)
    return parse_csv(text, path, _delimiter(text))
