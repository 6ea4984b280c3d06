# SPDX-License-Identifier: Apache-2.0
"""Video files become the features of one encoder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vtg.extraction import probe
from vtg.extraction.encoders import Encoder
from vtg.registry import ENCODERS
from vtg.utils import ConfigError, DataError

LONGEST = 60.0
"""Minutes of a video that is searched without being asked for."""


@dataclass(frozen=True)
class EncodedFile:
    """A video as an encoder sees it.

    Attributes:
        path: The file.
        features: ``(L, D)`` one row per clip.
        duration: Seconds.
    """

    path: Path
    features: np.ndarray
    duration: float


class FileEncoder:
    """Encodes video files and sentences.

    Args:
        config: Of an encoder, see :mod:`vtg.extraction.encoders.names`.
        clip_length: Seconds per clip.
        longest: Minutes above which a video is refused.

    Raises:
        ConfigError: The encoder cannot be built, or compares no clips and sentences.
    """

    def __init__(
        self, config: dict[str, Any], clip_length: float = 2.0, longest: float = LONGEST
    ) -> None:
        self.config = config
        self.clip_length = clip_length
        self.longest = longest
        self.encoder: Encoder = ENCODERS.build(dict(config))
        if not (self.encoder.has_text and self.encoder.joint):
            raise ConfigError(
                f'{type(self.encoder).__name__} has no joint space of clips and sentences; use '
                'concept, clip or siglip.'
            )

    def check(self, path: Path) -> None:
        """Look at a file without decoding it.

        Raises:
            DataError: It is no video that can be read, or is longer than allowed.
        """
        minutes = probe(path).duration / 60
        if minutes > self.longest:
            raise DataError(
                f'{path} is {minutes:.0f} minutes long, more than {self.longest:g}; cut it, or '
                f'allow it with --max-minutes {int(minutes) + 1}.'
            )

    def __call__(self, path: Path) -> EncodedFile:
        """Decode and encode a video.

        Raises:
            DataError: It cannot be read, or is longer than allowed.
        """
        self.check(path)
        found = self.encoder.encode(self.encoder.decode(path, self.clip_length))
        return EncodedFile(path, found['features'], float(found['duration']))
