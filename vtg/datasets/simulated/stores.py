# SPDX-License-Identifier: Apache-2.0
"""Feature stores that make features up for any annotation, simulated or real."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from vtg.datasets.stores import FeatureStore
from vtg.datasets.survey import implied_clips
from vtg.registry import TRANSFORMS

from .timeline import Difficulty, Event, event_of, video_timeline
from .world import LATENT_DIM, keyed_generator, projection, word_vector

FEATURE_NOISE = 0.2
# Of every token, where a clip or word has several.
TOKEN_NOISE = 0.5


class _SimulatedStore(FeatureStore):
    """What the two stores share: a backbone of a world and a cache.

    The cache stops growing when it is full: in shuffled epochs a part that stays is worth more than
    the most recent entries.
    """

    dim: int

    def __init__(
        self,
        pattern: str,
        dim: int,
        backbone: str,
        world_seed: int,
        cache_mib: float,
        row_shape: Sequence[int],
    ) -> None:
        super().__init__(pattern, dim, row_shape=row_shape)
        self.backbone = backbone
        self.world_seed = world_seed
        self._cache: dict[str, np.ndarray] = {}
        self._cache_left = int(cache_mib * 2**20)

    def _make(self, record: dict[str, Any], name: str) -> np.ndarray:
        raise NotImplementedError

    def _project(self, latent: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.row_shape:
            features = self._layers(latent, rng)
        else:
            features = latent @ projection(self.world_seed, self.backbone, self.dim)
        noise = rng.standard_normal(features.shape, dtype=np.float32)
        return features + noise * np.float32(FEATURE_NOISE / np.sqrt(self.dim))

    def _layers(self, latent: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """``(L, LATENT_DIM)`` to ``(L, *row_shape, D)``: every layer is a projection of its own,
        every token a noisy view."""
        shape = (len(latent), *self.row_shape[1:], latent.shape[-1])
        seen = latent.reshape(len(latent), *(1 for _ in self.row_shape[1:]), -1)
        layers = []
        for layer in range(self.row_shape[0]):
            noise = rng.standard_normal(shape, dtype=np.float32)
            tokens = seen + noise * np.float32(TOKEN_NOISE / np.sqrt(latent.shape[-1]))
            layers.append(
                tokens @ projection(self.world_seed, f'{self.backbone}.{layer}', self.dim)
            )
        return np.stack(layers, axis=1)

    def read(self, record: dict[str, Any]) -> np.ndarray:
        name = self.name_of(record)
        features = self._cache.get(name)
        if features is None:
            features = self._make(record, name)
            if features.nbytes <= self._cache_left:
                self._cache_left -= features.nbytes
                self._cache[name] = features
        return features

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, '_cache': {}}

    def __repr__(self) -> str:
        return f'{type(self).__name__}(backbone={self.backbone!r}, dim={self.dim})'


@TRANSFORMS.register_module()
class SimulatedVideo(_SimulatedStore):
    """Video features that carry a noisy trace of every query asked about the video.

    The queries are those of the annotation that the dataset loads; all of them leave their trace in
    the one feature array of their video.

    Args:
        dim: Width of the features.
        backbone: Name of the backbone; another name sees the same video through another projection.
        difficulty: From 0 (easy) to 1, see :class:`Difficulty`.
        world_seed: Words and projections; the same for all splits of a run.
        cache_mib: Memory for features that are kept, per process; 0 makes them anew each time.
        row_shape: Layers, and tokens of each, see :class:`FeatureStore`.
    """

    def __init__(
        self,
        dim: int,
        backbone: str = 'video',
        difficulty: float = 0.5,
        world_seed: int = 0,
        cache_mib: float = 64,
        row_shape: Sequence[int] = (),
    ) -> None:
        super().__init__('{vid}', dim, backbone, world_seed, cache_mib, row_shape)
        self.difficulty = Difficulty.of(difficulty)
        self._events: dict[str, list[Event]] = {}
        self._clip_length = 0.0

    def prepare(self, records: Sequence[dict[str, Any]], clip_length: float) -> None:
        """Note which events every video shows."""
        events = defaultdict(list)
        for record in records:
            events[self.name_of(record)].append(event_of(record, clip_length))
        self._events = dict(events)
        self._clip_length = clip_length

    def _make(self, record: dict[str, Any], name: str) -> np.ndarray:
        num_clips = implied_clips(record, self._clip_length)
        events = self._events.get(name, [])
        latent = video_timeline(name, events, num_clips, self.difficulty, self.world_seed)
        return self._project(latent, keyed_generator(self.world_seed, self.backbone, name))


@TRANSFORMS.register_module()
class SimulatedText(_SimulatedStore):
    """Token features of a query: a start token, its words and an end token, each with some noise.

    Args:
        dim: Width of the features.
        backbone: Name of the backbone, see :class:`SimulatedVideo`.
        world_seed: The same as that of the video.
        cache_mib, row_shape: See :class:`SimulatedVideo`.
    """

    def __init__(
        self,
        dim: int,
        backbone: str = 'text',
        world_seed: int = 0,
        cache_mib: float = 64,
        row_shape: Sequence[int] = (),
    ) -> None:
        super().__init__('{qid}', dim, backbone, world_seed, cache_mib, row_shape)

    def _make(self, record: dict[str, Any], name: str) -> np.ndarray:
        tokens = ['<start>', *record['query'].lower().replace(',', ' ').split(), '<end>']
        words = [token.strip('.,!?;:"\'()') or token for token in tokens]
        latent = np.stack([word_vector(self.world_seed, word) for word in words])
        rng = keyed_generator(self.world_seed, self.backbone, name, record['query'])
        noise = rng.standard_normal((len(words), LATENT_DIM), dtype=np.float32)
        return self._project(latent + noise * np.float32(0.3 / np.sqrt(LATENT_DIM)), rng)
