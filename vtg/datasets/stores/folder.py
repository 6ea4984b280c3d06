# SPDX-License-Identifier: Apache-2.0
"""Features in a folder with one file per video or query."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vtg.registry import TRANSFORMS

from .base import FeatureStore, check_features
from .files import SUFFIXES, read_feature_file

Key = Literal['features', 'last_hidden_state', 'token', 'pooler_output']


@TRANSFORMS.register_module()
class FolderStore(FeatureStore):
    """A feature store over ``folder/{pattern}.npz``, ``.npy`` or ``.pt``, float16 or float32.

    Args:
        folder: The folder.
        pattern, dim, features_from, row_shape: See :class:`FeatureStore`.
        suffixes: The kinds of files looked for; the first that exists is read.
        key: The array to read of files with several, where it is not the usual one:
            ``'pooler_output'`` is the sentence as a whole, one row.
    """

    def __init__(
        self,
        folder: str,
        pattern: str = '{vid}',
        dim: int | None = None,
        suffixes: Sequence[str] = SUFFIXES,
        features_from: str | None = None,
        row_shape: Sequence[int] = (),
        key: Key | None = None,
    ) -> None:
        super().__init__(pattern, dim, features_from, row_shape)
        self.pooled = key == 'pooler_output'
        self.key = key
        self.folder = Path(folder)
        self.suffixes = tuple(suffixes)

    def absent(self) -> str | None:
        if self.folder.is_dir():
            return None
        names = ' or '.join(f'{self.pattern}{suffix}' for suffix in self.suffixes)
        origin = f' (from {self.features_from})' if self.features_from else ''
        return f'feature folder {self.folder} with one {names} per record{origin}'

    def missing(self, records: Sequence[dict[str, Any]]) -> list[int]:
        names = [self.name_of(record) for record in records]
        if any('/' in name for name in names):
            return [i for i, name in enumerate(names) if not self._path(name).is_file()]
        # One listing instead of a look at every file: network disks make the difference.
        present = set(os.listdir(self.folder))
        return [
            i
            for i, name in enumerate(names)
            if not any(name + suffix in present for suffix in self.suffixes)
        ]

    def _path(self, name: str) -> Path:
        # Ids contain dots, so the suffix is appended, never replaced.
        paths = [self.folder / (name + suffix) for suffix in self.suffixes]
        return next((path for path in paths if path.is_file()), paths[0])

    def read(self, record: dict[str, Any]) -> np.ndarray:
        return self.inspect(record)[0]

    def inspect(self, record: dict[str, Any]) -> tuple[np.ndarray, str]:
        path = self._path(self.name_of(record))
        features = read_feature_file(path, self.key)
        if self.pooled and features.ndim == 1:
            features = features[None]
        checked = check_features(features, str(path), self.dim, self.row_shape)
        return checked, str(features.dtype)

    def __repr__(self) -> str:
        return f'FolderStore({self.folder}/{self.pattern}, dim={self.dim})'
