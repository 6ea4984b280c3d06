# SPDX-License-Identifier: Apache-2.0
"""Video files become the features of one encoder."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vtg.extraction import count_clips, probe
from vtg.extraction.encoders import Encoder
from vtg.registry import ENCODERS
from vtg.utils import ConfigError, DataError

LONGEST = 60.0
"""Minutes of a video that is searched without being asked for."""
# A full batch of every encoder, so that pieces change no number.
_PIECE = 64
Steps = Generator[tuple[int, int], None, Any]
"""Yields how many clips are encoded and how many there will be; returns what was made."""


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
        check_length(path, probe(path).duration, self.longest)

    def __call__(self, path: Path) -> EncodedFile:
        """Decode and encode a video.

        Raises:
            DataError: It cannot be read, or is longer than allowed.
        """
        self.check(path)
        found = self.encoder.encode(self.encoder.decode(path, self.clip_length))
        return EncodedFile(path, found['features'], float(found['duration']))

    def steps(self, path: Path) -> Steps:
        """Like a call, piece by piece, for a display of progress."""
        self.check(path)
        features, duration = yield from encode_steps(
            self.encoder, path, self.clip_length, self.longest
        )
        return EncodedFile(path, features, duration)


def check_length(path: Path, seconds: float, longest: float) -> None:
    """Refuse a video of more than ``longest`` minutes.

    Raises:
        DataError: It is longer.
    """
    minutes = seconds / 60
    if minutes > longest:
        raise DataError(
            f'{path} is {minutes:.0f} minutes long, more than {longest:g}; cut it, or '
            f'allow it with --max-minutes {int(minutes) + 1}.'
        )


def encode_steps(encoder: Encoder, path: Path, clip_length: float, longest: float) -> Steps:
    """Encode a video piece by piece; the numbers are those of the whole.

    Returns:
        Its features ``(L, D)`` and its seconds.

    Raises:
        DataError: It cannot be read, or is longer than its container says and than allowed.
    """
    total, features, done = count_clips(probe(path).duration, clip_length), [], 0
    yield 0, total
    if type(encoder).encode is not Encoder.encode:  # several in one, which take no pieces
        found = encoder.encode(encoder.decode(path, clip_length))
        return found['features'], float(found['duration'])
    for clips in encoder.iter_clips(path, clip_length, _PIECE):
        features.append(encoder.encode_clips(clips))
        done += len(features[-1])
        check_length(path, (done - 1) * clip_length, longest)
        yield done, max(done, total)
    return np.concatenate(features), float(clips.duration)
