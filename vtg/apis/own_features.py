# SPDX-License-Identifier: Apache-2.0
"""Features of your own videos and sentences, in the place of those that a config's stores read."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

import numpy as np

from vtg.datasets.reading import FeatureReader
from vtg.datasets.stores import FeatureStore, check_features, read_feature_file
from vtg.datasets.stores.files import SUFFIXES, stored_number
from vtg.extraction.encoders import Encoder, TextFeatures
from vtg.utils import ConfigError, DataError, has_words

Video = str | Path | np.ndarray | Sequence[np.ndarray]
"""A video file, a feature file, an array ``(L, D)`` or one such array per video feature."""


class OwnFeatures:
    """Makes the arrays that the stores of a config would read, and checks them as these do.

    Args:
        reader: The stores of the config.
        clip_length: Seconds per clip.
        encoders: One per video feature, for video files.
        text_encoders: One per text feature, for sentences.
        audio_encoders: One per feature of the second stream, where there is one.

    Raises:
        DataError: From every method, where a file or an array cannot be used.
        ConfigError: Arrays or encoders are missing.
    """

    def __init__(
        self,
        reader: FeatureReader,
        clip_length: float,
        encoders: Sequence[Encoder],
        text_encoders: Sequence[Encoder],
        audio_encoders: Sequence[Encoder],
    ) -> None:
        self.reader, self.clip_length = reader, clip_length
        self.encoders = encoders
        self.text_encoders = text_encoders
        self.audio_encoders = audio_encoders

    def of_video(self, video: Video) -> tuple[list[np.ndarray], float | None]:
        """Return one array per video feature of the config, and the seconds where known."""
        wanted, duration = len(self.reader.video), None
        if isinstance(video, np.ndarray):
            arrays = [video]
        elif not isinstance(video, str | Path):
            arrays = list(video)
        elif Path(video).is_dir():
            raise DataError(
                f'{video} is a folder; expected a video or its features, give the path of a file.'
            )
        elif Path(video).suffix in SUFFIXES:
            arrays = [read_feature_file(video)]
            duration = _stored_duration(Path(video))
        else:
            _check_count('video', wanted, len(self.encoders), 'encoders')
            arrays = []
            for encoder in self.encoders:
                found = encoder.encode(encoder.decode(video, self.clip_length))
                arrays.append(found['features'])
                duration = float(found['duration'])
        _check_count('video', wanted, len(arrays), 'arrays')
        return _checked('video', arrays, self.reader.video), duration

    def of_sound(self, video: Video, given: Sequence[np.ndarray] = ()) -> list[np.ndarray]:
        """Return one array per feature of the second stream: those given, or those of a file."""
        if not given and self.audio_encoders and _is_media(video):
            given = [
                encoder.encode(encoder.decode(video, self.clip_length))['features']
                for encoder in self.audio_encoders
            ]
        _check_count('audio', len(self.reader.audio), len(given), 'arrays')
        return _checked('audio', given, self.reader.audio)

    def check_queries(
        self, queries: str | Sequence[str], given: Sequence[np.ndarray] | None
    ) -> list[str]:
        """The queries as a list; refuses what no text features can be made of, before a video is
        read."""
        queries = [queries] if isinstance(queries, str) else list(queries)
        if given is not None:
            _check_count('text', len(self.reader.text), 1, 'arrays')
            if len(given) != len(queries):
                raise ConfigError(f'{len(queries)} queries but {len(given)} text features.')
            return queries
        for query in queries:
            if not has_words(query):
                raise ConfigError('a query has no words; write what to look for.')
        return queries

    def of_queries(
        self, queries: Sequence[str], given: Sequence[np.ndarray] | None
    ) -> list[list[np.ndarray]]:
        """Return for every query one array per text feature of the config."""
        stores = self.reader.text
        if given is not None:
            return [_checked('text', [np.asarray(array)], stores) for array in given]
        _check_count('text', len(stores), len(self.text_encoders), 'encoders')
        return [
            _checked(
                'text',
                [
                    text.pooled[None] if store.pooled else text.tokens
                    for text, store in zip(self._encoded(query), stores)
                ],
                stores,
            )
            for query in queries
        ]

    def _encoded(self, query: str) -> list[TextFeatures]:
        return [encoder.encode_text(query) for encoder in self.text_encoders]


def _is_media(video: Video) -> TypeGuard[str | Path]:
    return isinstance(video, str | Path) and Path(video).suffix not in SUFFIXES


def _stored_duration(path: Path) -> float | None:
    """The seconds that extraction wrote beside the features, where there are such."""
    stored = stored_number(path, 'duration')
    return stored if stored is not None and 0 < stored < math.inf else None


def _checked(
    kind: str, arrays: Sequence[np.ndarray], stores: Sequence[FeatureStore]
) -> list[np.ndarray]:
    return [
        check_features(array, f'{kind} features {number}', store.dim, store.row_shape)
        for number, (array, store) in enumerate(zip(arrays, stores), start=1)
    ]


def _check_count(kind: str, wanted: int, have: int, what: str) -> None:
    if wanted != have:
        raise ConfigError(
            f'the config reads {wanted} kind(s) of {kind} features, but {have} {kind} {what} are '
            f'given; give one for each, in the order of the config.'
        )
