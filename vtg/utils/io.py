# SPDX-License-Identifier: Apache-2.0
"""Reading and writing of JSON and JSON-lines files, plain or gzip, whole or not at all."""

import gzip
import hashlib
import io
import json
import math
import os
import re
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from .errors import DataError
from .outputs import hold
from .text import is_unicode, shown

Record = dict[str, Any]
"""One object of a JSON-lines file: an annotation, a prediction."""

# Annotations and predictions shrink to a fifth or a thirtieth; gzip reaches a thousandth.
_MOST_RATIO, _SMALL = 100, 1 << 24
_LONGEST_LINE = 1 << 24
_PIECE = 1 << 20
_DEEPEST = 64
_LONG_INTEGER = re.compile(r'\d{19}')
_KEY = re.compile(r'"\s*:')


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the folder of ``path`` and rename it to ``path`` on success.

    An error inside the block leaves an earlier file untouched and no temporary file behind. What a
    killed process leaves is found by :func:`vtg.utils.remove_leftovers`. An error of the operating
    system carries ``path``, not the temporary name.
    """
    path = Path(path)
    with _naming(path), _temporary(path) as temporary:
        yield temporary


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        named = error.filename and Path(os.fsdecode(error.filename)).name
        if not named or named.startswith(f'.{path.name}.'):
            error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    # The lock tells a file that is being written from one that a killed process left.
    locked = hold(handle)
    if not locked:
        os.close(handle)
    # mkstemp makes the file private; the final one gets the permissions of an ordinary new file.
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(name, 0o666 & ~umask)
    try:
        yield Path(name)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
        if locked:
            os.close(handle)


class _BoundedGzip(gzip.GzipFile):
    """A gzip file that refuses to unpack without end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.left = max(_SMALL, _MOST_RATIO * path.stat().st_size)

    def read1(self, size: int = -1) -> bytes:
        piece = super().read1(size)
        self.left -= len(piece)
        if self.left < 0:
            raise DataError(
                f'{self.name} unpacks to more than {_MOST_RATIO} times its size; it is damaged or '
                'made to fill the memory, so write it again.'
            )
        return piece


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    """Open a text file, plain or gzip."""
    if path.is_dir():
        raise DataError(f'{path} is a folder; expected a JSON file, give the path of a file.')
    if not path.is_file():
        raise DataError(f'{path} does not exist; expected a JSON file, check the path.')
    try:
        with (
            # A GzipFile is no BufferedReader by its type, but all that a TextIOWrapper needs.
            cast(BinaryIO, _BoundedGzip(path) if path.suffix == '.gz' else path.open('rb')) as raw,
            # Bytes that are no UTF-8 become lone surrogates and are refused with their line.
            io.TextIOWrapper(raw, 'utf-8-sig', errors='surrogateescape') as file,
        ):
            yield file
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f'{path} cannot be read ({error}); download or write it again.') from None


def _whole_text(path: Path) -> str:
    with _open_text(path) as file:
        # In pieces: one read of everything would unpack an archive past its limit.
        return ''.join(iter(lambda: file.read(_PIECE), ''))


def _depth(value: Any) -> int:
    """How deep containers are nested, counted without recursion."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        if depth > _DEEPEST:
            break
        level = [
            inner for item in level for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


@cache
def _fast_loads() -> Callable[[str], Any] | None:
    """The parser of orjson, which reads numbers three times as fast; None where it is missing."""
    try:
        from orjson import loads
    except ImportError:
        return None
    return cast(Callable[[str], Any], loads)


def _loads(text: str) -> Any:
    """What :func:`json.loads` gives or raises."""
    fast = _fast_loads()
    # orjson turns integers of more than 64 bits into floats.
    if fast is not None and not _LONG_INTEGER.search(text):
        try:
            return fast(text)
        except ValueError:
            pass  # The other parser takes more, such as NaN, or says what is wrong.
    return json.loads(text)


def _count_keys(value: Any, objects: int) -> int:
    """How many keys the objects in a value have; ``objects`` is how many there are at most."""
    keys, level = 0, [value]
    while level and objects > 0:
        found = [item for item in level if isinstance(item, dict)]
        keys, objects = keys + sum(map(len, found)), objects - len(found)
        if objects <= 0:
            break
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return keys


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, whose keys all differ."""
    value: dict[str, Any] = {}
    for name, item in pairs:
        if name in value:
            raise _Twice(f'ambiguous JSON (the key {shown(name)} stands twice in one object)')
        value[name] = item
    return value


class _Twice(Exception):
    pass


def _check_keys(text: str, value: Any) -> None:
    """Refuse objects that have a key twice, of which every parser keeps the last in silence."""
    # What looks like a key is at least every key. Only where there are more than the value has is
    # one of them twice, or inside of a string: then the slow parser knows.
    if len(_KEY.findall(text)) != _count_keys(value, text.count('{')):
        try:
            json.loads(text, object_pairs_hook=_unique)
        except _Twice as error:
            raise ValueError(str(error)) from None


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is no JSON, no UTF-8, has a key twice in one object, or is nested or long
            beyond reason; says which.
    """
    if not is_unicode(text):
        raise ValueError('not valid UTF-8')
    try:
        value = _loads(text)
    except json.JSONDecodeError as error:
        place = f'column {error.colno}' if error.lineno == 1 else f'line {error.lineno}'
        raise ValueError(f'not valid JSON ({error.msg} at {place})') from None
    except RecursionError:
        raise ValueError(f'nested deeper than {_DEEPEST} levels') from None
    except ValueError:
        # Python refuses to convert integers of more than 4300 digits.
        raise ValueError('not valid JSON (an integer has thousands of digits)') from None
    if text.count('[') + text.count('{') > _DEEPEST and _depth(value) > _DEEPEST:
        raise ValueError(f'nested deeper than {_DEEPEST} levels')
    _check_keys(text, value)
    if '\\u' in text and not is_unicode(json.dumps(value, ensure_ascii=False)):
        raise ValueError('not valid Unicode (half of a surrogate pair)')
    return value


def read_json_lines(path: str | Path) -> Iterator[tuple[int, Record | None, str]]:
    """Yield number, object and problem of every line of a JSON-lines file that is not blank.

    Either the object is None or the problem empty, a sentence.

    Raises:
        DataError: The file as a whole cannot be read.
    """
    path = Path(path)
    with _open_text(path) as file:
        number = 0
        while text := file.readline(_LONGEST_LINE):
            number += 1
            if len(text) == _LONGEST_LINE:
                raise DataError(
                    f'{path}, line {number} has more than {_LONGEST_LINE:,} characters; every line '
                    'must be one complete JSON object.'
                )
            if not text.strip():
                continue
            try:
                record = parse_json(text.strip())
            except ValueError as error:
                yield number, None, f'{error}; every line must be one complete JSON object.'
                continue
            if isinstance(record, dict):
                yield number, record, ''
            else:
                kind = type(record).__name__
                problem = f'expected a JSON object, got {kind}; every line must be one in braces.'
                yield number, None, problem


def read_jsonl(path: str | Path) -> list[Record]:
    """Read a JSON-lines file (``.jsonl`` or ``.jsonl.gz``); blank lines are skipped.

    Raises:
        DataError: The file is missing or unreadable, or a line is not a JSON object; the message
            names the line.
    """
    records = []
    for number, record, problem in read_json_lines(path):
        if record is None:
            raise DataError(f'{path}, line {number}: {problem}')
        records.append(record)
    return records


def write_jsonl(path: str | Path, records: Iterable[Record]) -> None:
    """Write records as JSON lines; a path that ends in ``.gz`` is compressed."""
    path = Path(path)
    opener = gzip.open if path.suffix == '.gz' else open
    with atomic_write(path) as temporary, opener(temporary, 'wt', encoding='utf-8') as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + '\n')


def read_text(path: str | Path) -> str:
    """Read a text file, plain or ``.gz``; raises :class:`DataError` where it is no UTF-8."""
    text = _whole_text(Path(path))
    if not is_unicode(text):
        raise DataError(f'{path} is not valid UTF-8; get the file again.')
    return text


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file as hex digits; it is read in pieces."""
    digest = hashlib.sha256()
    with Path(path).open('rb') as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def read_json(path: str | Path) -> Any:
    """Read a JSON file, plain or ``.gz``; raises :class:`DataError` where it is not one."""
    try:
        return parse_json(_whole_text(Path(path)))
    except ValueError as error:
        raise DataError(f'{path} is not a valid JSON file ({error}).') from None


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON; NaN and infinity, which JSON lacks, become null."""
    text = json.dumps(_without_nan(value), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + '\n')


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
