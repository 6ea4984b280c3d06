# SPDX-License-Identifier: Apache-2.0
"""Several arrays of one backbone as one source, such as the two streams of I3D."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vtg.registry import TRANSFORMS
from vtg.utils import ConfigError

from .base import FeatureStore


@TRANSFORMS.register_module()
class JoinedStore(FeatureStore):
    """Cuts the arrays of its stores to the shortest and joins their columns.

    The dataset normalises the rows of what a store gives: joined here, they are normalised as one
    vector, as the official loaders do with the RGB and flow features of TVSum.

    Args:
        stores: Configs of the stores, in the order of the columns.
        dim: Expected total width.
    """

    def __init__(self, stores: Sequence[dict], dim: int | None = None) -> None:
        self.stores: list[FeatureStore] = [TRANSFORMS.build(store) for store in stores]
        widths = [store.dim for store in self.stores]
        known = [width for width in widths if width is not None]
        if dim is not None and len(known) == len(widths) and sum(known) != dim:
            raise ConfigError(f'dim of JoinedStore is {dim}, but its stores have {widths}.')
        super().__init__(self.stores[0].pattern, dim)

    def absent(self) -> str | None:
        texts = [text for text in (store.absent() for store in self.stores) if text]
        return '\n'.join(texts) or None

    def prepare(self, records: Sequence[dict[str, Any]], clip_length: float) -> None:
        for store in self.stores:
            store.prepare(records, clip_length)

    def missing(self, records: Sequence[dict[str, Any]]) -> list[int]:
        return sorted({index for store in self.stores for index in store.missing(records)})

    def read(self, record: dict[str, Any]) -> np.ndarray:
        return self.read_part(record, slice(None))

    def read_part(self, record: dict[str, Any], part: slice) -> np.ndarray:
        arrays = [store.read_part(record, part) for store in self.stores]
        length = min(map(len, arrays))
        return np.concatenate([array[:length] for array in arrays], axis=-1)

    def __repr__(self) -> str:
        return f'JoinedStore({", ".join(map(repr, self.stores))})'
