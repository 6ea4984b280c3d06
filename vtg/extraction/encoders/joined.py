# SPDX-License-Identifier: Apache-2.0
"""Several encoders as one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vtg.registry import ENCODERS
from vtg.utils import ConfigError

from ..pieces import Pieces
from .base import Encoder, TextFeatures


@ENCODERS.register_module()
class JoinedEncoder(Encoder):
    """The features of several encoders side by side, in their order.

    Every encoder reads a video in its own way; where they give different numbers of rows, such as
    of pictures and of sound, all are cut to the shortest. Tokens are joined position by position,
    cut to the shorter sentence as published loaders do it.

    Args:
        encoders: Their configs.

    Raises:
        ConfigError: There is no encoder.
    """

    def __init__(self, encoders: Sequence[dict]) -> None:
        if not encoders:
            raise ConfigError('JoinedEncoder joins no encoders; name at least one.')
        self.encoders: list[Encoder] = [ENCODERS.build(dict(config)) for config in encoders]
        self.has_text = all(encoder.has_text for encoder in self.encoders)
        self.joint = all(encoder.joint for encoder in self.encoders)

    def decode(self, path: str | Path, clip_length: float) -> Pieces:
        return _Parts([encoder.decode(path, clip_length) for encoder in self.encoders])

    def encode(self, pieces: Pieces) -> dict[str, np.ndarray]:
        """As of one encoder, and in ``rows`` the number of rows of each."""
        assert isinstance(pieces, _Parts)
        found = [encoder.encode(part) for encoder, part in zip(self.encoders, pieces.parts)]
        rows = [len(arrays['features']) for arrays in found]
        joined = np.concatenate([arrays['features'][: min(rows)] for arrays in found], axis=1)
        first = {key: value for key, value in found[0].items() if key != 'rows'}
        times = first['times'][: min(rows)]
        return {**first, 'features': joined, 'times': times, 'rows': np.asarray(rows)}

    def encode_text(self, text: str) -> TextFeatures:
        if not self.has_text:
            return super().encode_text(text)
        found = [encoder.encode_text(text) for encoder in self.encoders]
        count = min(len(one.tokens) for one in found)
        tokens = np.concatenate([one.tokens[:count] for one in found], axis=1)
        return TextFeatures(tokens, np.concatenate([one.pooled for one in found]))


class _Parts(Pieces):
    """The pieces of a file for each of several encoders."""

    def __init__(self, parts: Sequence[Pieces]) -> None:
        super().__init__(iter(()))
        self.parts = parts

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts)
