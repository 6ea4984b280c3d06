# SPDX-License-Identifier: Apache-2.0
"""The first step of a sample: the arrays of a record as they are stored."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtg.registry import TRANSFORMS
from vtg.utils import ConfigError, Record

from .stores import FeatureStore

Stores = Mapping[str, Any] | Sequence[Mapping[str, Any]]
_ALL = slice(None)


class FeatureReader:
    """The feature stores of a dataset: one or several for the video, for the query, and for a
    second stream on the clips of the video.

    Args:
        video, text: Configs of the stores, in the order in which their columns are joined.
        data_root: Joined to relative folders and files.
        audio: Configs of the stores of the second stream; empty without one.
    """

    def __init__(
        self, video: Stores, text: Stores, data_root: str | None = None, audio: Stores = ()
    ) -> None:
        self.video = _build_stores(video, data_root)
        self.text = _build_stores(text, data_root)
        self.audio = _build_stores(audio, data_root) if audio else []

    @property
    def stores(self) -> list[FeatureStore]:
        """All of them."""
        return [*self.video, *self.audio, *self.text]

    def absent(self) -> list[str]:
        """Say of every store that is not there as a whole what is expected where."""
        texts = (store.absent() for store in self.stores)
        return [text for text in texts if text]

    def prepare(self, records: Sequence[Record], clip_length: float) -> dict[int, FeatureStore]:
        """Introduce the records to the stores.

        Returns:
            The positions of the records that lack features, with the store that lacks them.
        """
        without: dict[int, FeatureStore] = {}
        for store in self.stores:
            store.prepare(records, clip_length)
            without.update(dict.fromkeys(store.missing(records), store))
        return without

    def read_video(self, record: Record, part: slice = _ALL) -> list[np.ndarray]:
        """Return the clips ``part`` of one array ``(L_k, D_k)`` per store; raises what
        :meth:`FeatureStore.read` does."""
        return [store.read_part(record, part) for store in self.video]

    def read_audio(self, record: Record, part: slice = _ALL) -> list[np.ndarray]:
        """Return the same of the second stream."""
        return [store.read_part(record, part) for store in self.audio]

    def read_text(self, record: Record) -> list[np.ndarray]:
        """Return one array ``(N_k, D_k)`` per store; raises what :meth:`FeatureStore.read` does."""
        return [store.read(record) for store in self.text]


def _build_stores(cfg: Stores, data_root: str | None) -> list[FeatureStore]:
    stores = [cfg] if isinstance(cfg, Mapping) else cfg
    if not stores:
        raise ConfigError('the list of feature stores (video, text) is empty; name at least one.')
    return [TRANSFORMS.build(_rooted(store, data_root) if data_root else store) for store in stores]


def _rooted(store: Mapping[str, Any], root: str) -> dict[str, Any]:
    """Join ``folder`` and ``file`` of a store, and of those inside it, to ``root``."""
    paths: dict[str, Any] = {
        key: str(Path(root) / store[key]) for key in ('folder', 'file') if key in store
    }
    if 'stores' in store:
        paths['stores'] = [_rooted(inner, root) for inner in store['stores']]
    return {**store, **paths}
