# SPDX-License-Identifier: Apache-2.0
"""Reading and writing of JSON and JSON-lines files, plain or gzip, whole or not at all."""

import gzip
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import DataError


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the folder of ``path`` and rename it to ``path`` on success.

    An error inside the block leaves an earlier file untouched and no temporary file behind.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
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


def _open_text(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f'{path} does not exist; expected a JSON file, check the path.')
    if path.suffix == '.gz':
        return gzip.open(path, 'rt', encoding='utf-8')
    return path.open(encoding='utf-8')


def read_jsonl(path: str | Path) -> list[dict[str, Any]]:
    """Read a JSON-lines file (``.jsonl`` or ``.jsonl.gz``); blank lines are skipped.

    Raises:
        DataError: The file is missing or unreadable, or a line is not a JSON object; the message
            names the line.
    """
    path = Path(path)
    records = []
    with _open_text(path) as file:
        try:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except json.JSONDecodeError as error:
                    raise DataError(
                        f'{path}, line {number}: not valid JSON ({error.msg} at column '
                        f'{error.colno}); every line must be one complete JSON object.'
                    ) from None
                if not isinstance(record, dict):
                    raise DataError(
                        f'{path}, line {number}: expected a JSON object, got '
                        f'{type(record).__name__}; every line must be one record in braces.'
                    )
                records.append(record)
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise DataError(
                f'{path} cannot be read ({error}); download or write it again.'
            ) from None
    return records


def write_jsonl(path: str | Path, records: Iterable[dict[str, Any]]) -> None:
    """Write records as JSON lines; a path that ends in ``.gz`` is compressed."""
    path = Path(path)
    opener = gzip.open if path.suffix == '.gz' else open
    with atomic_write(path) as temporary, opener(temporary, 'wt', encoding='utf-8') as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + '\n')


def read_json(path: str | Path) -> Any:
    """Read a JSON file, plain or ``.gz``; raises :class:`DataError` where it is not one."""
    path = Path(path)
    with _open_text(path) as file:
        try:
            return json.load(file)
        except (json.JSONDecodeError, UnicodeDecodeError, OSError, EOFError) as error:
            raise DataError(f'{path} is not a valid JSON file ({error}).') from None


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON; NaN and infinity, which JSON lacks, become null."""
    text = json.dumps(_without_nan(value), indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path) as temporary:
        temporary.write_text(text + '\n', encoding='utf-8')


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
