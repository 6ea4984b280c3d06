# SPDX-License-Identifier: Apache-2.0
"""Features of all videos or queries in one memory-mapped file.

A packed folder holds ``features.bin``, the rows of all arrays one after the other, and
``index.json``: the names, their numbers of rows, width (all numbers of a row, whatever its axes)
and type of the array, a checksum of the data and one of the index itself.
``tools/pack_features.py`` writes it.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtg.registry import TRANSFORMS
from vtg.utils import DataError, file_sha256

from .base import FeatureStore, check_features
from .packed_index import (
    DATA_FILE,
    INDEX_FILE,
    data_path,
    index_checksum,
    read_index,
)

__all__ = ['PackedStore', 'index_checksum']


@TRANSFORMS.register_module()
class PackedStore(FeatureStore):
    """A feature store over a folder written by ``tools/pack_features.py``.

    Opening checks the index and the size of the data. Reading opens no file: it copies rows out of
    the memory map, which every process maps for itself when it first reads.

    Args:
        folder: The packed folder.
        pattern, dim, features_from, row_shape: See :class:`FeatureStore`. The names are those of
            the packed files without their suffix.
        verify: Also compare the checksum of the data, which reads all of it once.
    """

    def __init__(
        self,
        folder: str,
        pattern: str = '{vid}',
        dim: int | None = None,
        verify: bool = False,
        features_from: str | None = None,
        row_shape: Sequence[int] = (),
    ) -> None:
        super().__init__(pattern, dim, features_from, row_shape)
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
            size, vectors = self._index['dim'], math.prod(self.row_shape)
            if size % vectors or (self.dim is not None and size != vectors * self.dim):
                expected = ' x '.join(map(str, (*self.row_shape, self.dim)))
                raise DataError(
                    f'{self.folder}: the features are {size} wide, expected '
                    f'{expected}; set dim of the feature store or use the features that belong to '
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
        data = data_path(self.folder, self._index)
        if file_sha256(data) != self._index['data_sha256']:
            raise DataError(f'{data} does not match its checksum; pack or copy the features again.')

    def missing(self, records: Sequence[dict[str, Any]]) -> list[int]:
        rows = self._open()
        return [i for i, record in enumerate(records) if self.name_of(record) not in rows]

    def read(self, record: dict[str, Any]) -> np.ndarray:
        return self.read_part(record, slice(None))

    def read_part(self, record: dict[str, Any], part: slice) -> np.ndarray:
        """Read the rows of a part alone, ``(P, *row_shape, D)`` as float32; only these are checked.

        Raises:
            DataError: The name is unknown, or these rows are not finite.
        """
        rows, name = self._open(), self.name_of(record)
        if name not in rows:
            raise DataError(
                f'{self.folder} holds no features named {name!r}; pack them or remove the record.'
            )
        if self._data is None:
            self._data = self._map()
        start, length = rows[name]
        where = f'features {name!r} in {self.folder}'
        width = self._index['dim'] // math.prod(self.row_shape)
        stored = np.array(self._data[start : start + length][part])
        stored = stored.reshape(-1, *self.row_shape, width)
        if length and not len(stored):  # a part behind the end; the array itself is not empty
            return stored.astype(np.float32)
        return check_features(stored, where, self.dim, self.row_shape)

    def _map(self) -> np.ndarray:
        shape = (sum(self._index['lengths']), self._index['dim'])
        path = data_path(self.folder, self._index)
        try:
            return np.memmap(path, self._index['dtype'], 'r', shape=shape)
        except (OSError, ValueError) as error:
            raise DataError(
                f'{path} cannot be read any more ({error}); it was changed after it was opened, '
                'start again.'
            ) from None

    def inspect(self, record: dict[str, Any]) -> tuple[np.ndarray, str]:
        return self.read(record), np.dtype(self._index['dtype']).name

    def __getstate__(self) -> dict[str, Any]:
        # A pickled memory map would carry all of the data to every spawned worker.
        return {**self.__dict__, '_data': None}

    def __repr__(self) -> str:
        return f'PackedStore({self.folder}, pattern={self.pattern!r}, dim={self.dim})'
