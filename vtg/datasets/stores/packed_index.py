# SPDX-License-Identifier: Apache-2.0
"""The index of a packed folder: its fields, its checksum, and the checks before it is believed."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from vtg.utils import DataError, read_json, shown

DATA_FILE = 'features.bin'
INDEX_FILE = 'index.json'
FORMAT = 1
# The types that a store reads, as numpy writes them down.
DTYPES = ('<f2', '<f4', '<f8')
# A folder that is packed again gets a data file of another name, which the index then names.
DATA_NAME = re.compile(r'features(\.[0-9a-f]{16})?\.bin')
_FIELDS = ('format', 'dim', 'dtype', 'names', 'lengths', 'data_sha256')


def index_checksum(index: dict[str, Any]) -> str:
    """Return the checksum of everything in the index but the checksum itself."""
    fields = [*_FIELDS, 'data_file'] if 'data_file' in index else _FIELDS
    content = json.dumps([index[name] for name in fields], ensure_ascii=True)
    return hashlib.sha256(content.encode()).hexdigest()


def data_path(folder: Path, index: dict[str, Any]) -> Path:
    """Return the data file that a checked index belongs to."""
    return folder / index.get('data_file', DATA_FILE)


def read_index(folder: Path) -> dict[str, Any]:
    """Read and check the index of a packed folder and the size of its data.

    Raises:
        DataError: The index or the data is missing, cut short, changed, or nothing that
            :func:`vtg.datasets.pack_features` writes.
    """
    path = folder / INDEX_FILE
    index = read_json(path)
    if not isinstance(index, dict) or index.get('format') != FORMAT:
        raise DataError(f'{path} is not an index of format {FORMAT}; pack the features again.')
    if any(name not in index for name in _FIELDS) or index.get('sha256') != index_checksum(index):
        raise DataError(f'{path} does not match its checksum; pack the features again.')
    problem = _problem(index)
    if problem:
        raise DataError(f'{path}: {problem}; pack the features again.')
    data = data_path(folder, index)
    expected = sum(index['lengths']) * index['dim'] * np.dtype(index['dtype']).itemsize
    size = data.stat().st_size if data.is_file() else 0
    if size != expected:
        raise DataError(
            f'{data} has {size} bytes, expected {shown(expected)}; it is missing or truncated, '
            'pack or copy the features again.'
        )
    return index


def _problem(index: dict[str, Any]) -> str | None:
    """Say what in an index cannot be, whatever its checksum says."""
    names, lengths, dim = index['names'], index['lengths'], index['dim']
    if index['dtype'] not in DTYPES:
        return f'dtype is {shown(index["dtype"])}, expected one of {", ".join(DTYPES)}'
    if not _is_count(dim):
        return f'dim is {shown(dim)}, expected a positive whole number'
    if not isinstance(names, list) or not isinstance(lengths, list) or not names:
        return 'names and lengths must be lists that are not empty'
    if len(names) != len(lengths):
        return f'there are {len(names)} names but {len(lengths)} lengths'
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        return 'names must be different texts'
    if not all(map(_is_count, lengths)):
        return 'lengths must be positive whole numbers'
    if not isinstance(index['data_sha256'], str):
        return 'data_sha256 is no text'
    file = index.get('data_file', DATA_FILE)
    if not isinstance(file, str) or not DATA_NAME.fullmatch(file):
        return f'data_file is {shown(file)}, expected a name such as {DATA_FILE}'
    return None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 48
