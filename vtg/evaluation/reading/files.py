# SPDX-License-Identifier: Apache-2.0
"""The records of a file: JSON lines, one JSON list, or one JSON object; plain or gzip."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vtg.utils import DataError, Record, read_json, read_json_lines, shown

PIECE = 4096
"""Records that are packed together."""
# A line with one of these is a record of its own, and no object of records by key.
_OWN = ('qid', 'query', 'vid', 'video', 'pred_relevant_windows', 'pred_saliency_scores')


@dataclass(frozen=True)
class RawFile:
    """The records of a file as they are.

    Attributes:
        path: The file.
        records: One object each.
        places: ``'line 3'`` of every record.
        keys: Under which key a record stands, where the file is one object; else empty.
        lines: Whether the file holds JSON lines.
    """

    path: Path
    records: list[Record]
    places: list[str]
    keys: tuple[str, ...] = ()
    lines: bool = True

    def where(self, qid: Any) -> str:
        """File and place of the record of a query."""
        for record, place in zip(self.records, self.places):
            if record.get('qid') == qid:
                return f'{self.path}, {place}'
        return str(self.path)


def read_raw(
    path: str | Path, pack: Callable[[list[Record]], None] = lambda records: None
) -> RawFile:
    """Read the records of a file.

    In an object of records by key, a value that is a list or a text becomes ``{'pred': list}`` or
    ``{'answer': text}``; of an object that holds one list of objects, these are the records.

    Args:
        path: The file; a byte order mark is no fault.
        pack: Makes records smaller in place, a few thousand at a time.

    Raises:
        DataError: The file cannot be read, an entry is no object (says where), or there is none.
    """
    found = _read(Path(path), pack)
    if not found.records:
        raise DataError(f'{path} holds no record; expected one JSON object per query.')
    return found


def _read(path: Path, pack: Callable[[list[Record]], None]) -> RawFile:
    first = _first_character(path)
    if first == b'[':
        return _of_list(path, read_json(path), pack)
    lines = read_json_lines(path)
    number, record, problem = next(lines, (0, None, ''))
    if first == b'{' and (record is None or not any(name in record for name in _OWN)):
        content = _whole(path)
        if content is not None:
            return _of_object(path, content, pack)
    records: list[Record] = []
    places: list[str] = []
    while number:
        if record is None:
            raise DataError(f'{path}, line {number}: {problem}')
        places.append(f'line {number}')
        records.append(record)
        if len(records) % PIECE == 0:
            pack(records[-PIECE:])
        number, record, problem = next(lines, (0, None, ''))
    pack(records[len(records) // PIECE * PIECE :])
    return RawFile(path, records, places)


def _of_list(path: Path, content: Any, pack: Callable[[list[Record]], None]) -> RawFile:
    for number, record in enumerate(content, start=1):
        if not isinstance(record, dict):
            raise DataError(
                f'{path}, record {number}: expected a JSON object, got '
                f'{type(record).__name__}; the list must hold one record in braces per query.'
            )
    pack(content)
    places = [f'record {number}' for number in range(1, len(content) + 1)]
    return RawFile(path, content, places, lines=False)


def _of_object(path: Path, content: Record, pack: Callable[[list[Record]], None]) -> RawFile:
    lists = [value for value in content.values() if isinstance(value, list) and value]
    if len(lists) == 1 and isinstance(lists[0][0], dict):
        return _of_list(path, lists[0], pack)
    records: list[Record] = []
    for key, value in content.items():
        if isinstance(value, dict):
            records.append(dict(value))
        elif isinstance(value, list):
            records.append({'pred': value})
        elif isinstance(value, str):
            records.append({'answer': value})
        else:
            raise DataError(
                f'{path}, key {shown(key)}: found {shown(value)}; expected the answer to a query: '
                'an object, a list of windows or a text.'
            )
    pack(records)
    places = [f'key {shown(key)}' for key in content]
    return RawFile(path, records, places, tuple(content), lines=False)


def _whole(path: Path) -> Record | None:
    """The file as one object, None where it holds several lines."""
    try:
        content = read_json(path)
    except DataError:
        return None
    return content if isinstance(content, dict) else None


def _first_character(path: Path) -> bytes:
    """The first one that is no white space; what cannot be read is left to the reader."""
    try:
        with (gzip.open if path.suffix == '.gz' else open)(path, 'rb') as file:
            return file.read(1024).lstrip(b'\xef\xbb\xbf \t\r\n')[:1]
    except (OSError, EOFError):
        return b''
