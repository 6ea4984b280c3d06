# SPDX-License-Identifier: Apache-2.0
"""Features of all videos or queries in one memory-mapped file.

A packed folder holds ``features.bin``, the rows of all arrays one after the other, and
``index.json``: the names, their numbers of rows, width and type of the array, a checksum of
``features.bin`` and one of the index itself. ``tools/pack_features.py`` writes it.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtg.registry import TRANSFORMS
from vtg.utils import DataError, read_json

from .base import FeatureStore

DATA_FILE = 'features.bin'
INDEX_FILE = 'index.json'
FORMAT = 1
_FIELDS = ('format', 'dim', 'dtype', 'names', 'lengths', 'data_sha256')


def index_checksum(index: dict[str, Any]) -> str:
    """Return the checksum of everything in the index but the checksum itself."""
    content = json.dumps([index[name] for name in _FIELDS], ensure_ascii=True)
    return hashlib.sha256(content.encode()).hexdigest()


def file_checksum(path: Path, chunk: int = 1 << 22) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        pieces: Iterable[bytes] = iter(lambda: file.read(chunk), b'')
        for piece in pieces:
            digest.update(piece)
    return digest.hexdigest()


def read_index(folder: Path) -> dict[str, Any]:
    """Read and check the index of a packed folder and the size of its data.

    Raises:
        DataError: The index or the data is missing, cut short or changed.
    """
    path = folder / INDEX_FILE
    index = read_json(path)
    if not isinstance(index, dict) or index.get('format') != FORMAT:
        raise DataError(f'{path} is not an index of format {FORMAT}; pack the features again.')
    if any(name not in index for name in _FIELDS) or index.get('sha256') != index_checksum(index):
        raise DataError(f'{path} does not match its checksum; pack the features again.')
    data = folder / DATA_FILE
    expected = sum(index['lengths']) * index['dim'] * np.dtype(index['dtype']).itemsize
    size = data.stat().st_size if data.is_file() else 0
    if size != expected:
        raise DataError(
            f'{data} has {size} bytes, expected {expected}; it is missing or truncated, pack or '
            'copy the features again.'
        )
    return index


@TRANSFORMS.register_module()
class PackedStore(FeatureStore):
    """A feature store over a folder written by ``tools/pack_features.py``.

    Opening checks the index and the size of the data. Reading opens no file: it copies rows out of
    the memory map, which every process maps for itself when it first reads.

    Args:
        folder: The packed folder.
        pattern, dim, features_from: See :class:`FeatureStore`. The names are those of the packed
            files without their suffix.
        verify: Also compare the checksum of the data, which reads all of it once.
    """

    def __init__(
        self,
        folder: str,
        pattern: str = '{vid}',
        dim: int | None = None,
        verify: bool = False,
        features_from: str | None = None,
    ) -> None:
        super().__init__(pattern, dim, features_from)
        self.folder = Path(folder)
        self._verify_at_open = verify
        self._rows: dict[str, tuple[int, int]] | None = None
        self._data: np.ndarray | None = None

    def absent(self) -> str | None:
        if (self.folder / INDEX_FILE).is_file():
            return None
        origin = f'; the features come from {self.features_from}' if self.features_from else ''
        return (
            f'packed features {self.folder} with {DATA_FILE} and {INDEX_FILE} (written by '
            f'tools/pack_features.py{origin})'
        )

    def _open(self) -> dict[str, tuple[int, int]]:
        if self._rows is None:
            self._index = read_index(self.folder)
            if self.dim is not None and self._index['dim'] != self.dim:
                raise DataError(
                    f'{self.folder}: the features are {self._index["dim"]} wide, expected '
                    f'{self.dim}; set dim of the feature store or use the features that belong to '
                    'this config.'
                )
            lengths = self._index['lengths']
            starts = np.concatenate([[0], np.cumsum(lengths)]).tolist()
            self._rows = dict(zip(self._index['names'], zip(starts, lengths)))
            if self._verify_at_open:
                self.verify()
        return self._rows

    def verify(self) -> None:
        """Compare the data with its checksum; raises :class:`DataError` where they differ."""
        self._open()
        data = self.folder / DATA_FILE
        if file_checksum(data) != self._index['data_sha256']:
            raise DataError(f'{data} does not match its checksum; pack or copy the features again.')

    def missing(self, records: Sequence[dict[str, Any]]) -> list[int]:
        rows = self._open()
        return [i for i, record in enumerate(records) if self.name_of(record) not in rows]

    def read(self, record: dict[str, Any]) -> np.ndarray:
        rows, name = self._open(), self.name_of(record)
        if name not in rows:
            raise DataError(
                f'{self.folder} holds no features named {name!r}; pack them or remove the record.'
            )
        if self._data is None:
            shape = (sum(self._index['lengths']), self._index['dim'])
            self._data = np.memmap(self.folder / DATA_FILE, self._index['dtype'], 'r', shape=shape)
        start, length = rows[name]
        return np.array(self._data[start : start + length], dtype=np.float32)

    def inspect(self, record: dict[str, Any]) -> tuple[np.ndarray, str]:
        return self.read(record), np.dtype(self._index['dtype']).name

    def __getstate__(self) -> dict[str, Any]:
        # A pickled memory map would carry all of the data to every spawned worker.
        return {**self.__dict__, '_data': None}

    def __repr__(self) -> str:
        return f'PackedStore({self.folder}, pattern={self.pattern!r}, dim={self.dim})'
