# SPDX-License-Identifier: Apache-2.0
"""The sound of a file as mono samples per clip, on the same grid of clips as its frames.

Clip i is the sound around the middle of ``[i * c, (i + 1) * c)``, where times count from the first
picture, or from the first sample of a file without pictures. What lies outside of the track is
silence, and sound that ends at second T gives ``round(T / c)`` clips (halves up).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vtg.utils import ConfigError, check_clip_length

from .media import MediaFile
from .sampling import count_clips, exact_seconds

# A pause in the time stamps that is filled with silence, and one that is damage, in seconds.
_PAUSE, _LONGEST_PAUSE = 0.1, 3600.0


@dataclass(frozen=True)
class SoundClips:
    """The sound of the clips of a file or of a part of it.

    Attributes:
        samples: ``(L, N)`` float32 in -1 to 1, one channel.
        times: ``(L, 1)`` seconds at which each clip begins.
        first_clip: Number of the first of these clips in the file.
        clip_length: Seconds per clip.
        duration: Seconds of the sound; NaN but in the last piece.
    """

    samples: np.ndarray
    times: np.ndarray
    first_clip: int
    clip_length: float
    duration: float

    def __len__(self) -> int:
        return len(self.samples)


def iter_sound(
    path: str | Path,
    clip_length: float = 2.0,
    rate: int = 32000,
    window: float | None = None,
    max_clips: int | None = None,
) -> Iterator[SoundClips]:
    """Decode the sound of a file in pieces of ``max_clips`` clips, the last of which may be longer.

    Args:
        path: A video with sound, or a recording.
        clip_length: Seconds per clip.
        rate: Samples per second.
        window: Seconds of sound around the middle of a clip; the clip itself by default.
        max_clips: Clips per piece; None gives one piece.

    Raises:
        SoundMissing: There is no audio track.
        DataError: The file is missing, empty or damaged.
    """
    length = exact_seconds(check_clip_length(clip_length))
    span = length if window is None else exact_seconds(check_clip_length(window, 'window'))
    count = round(span * rate)
    if count < 1:
        raise ConfigError(f'{float(span):g} s of sound at {rate} samples per second is no sample.')
    shift = (length - span) / 2

    def begin(clip: int) -> int:
        return round((clip * length + shift) * rate)

    # Samples from number `first` on, which may lie before the sound.
    held, first, clip = np.zeros(max(0, -begin(0)), np.float32), min(0, begin(0)), 0

    def piece(clips: int, duration: float) -> SoundClips:
        nonlocal held, first, clip
        starts = np.array([begin(clip + row) for row in range(clips)]) - first
        missing = int(starts[-1]) + count - len(held)
        held = np.concatenate([held, np.zeros(max(0, missing), np.float32)])
        found = SoundClips(
            np.stack([held[start : start + count] for start in starts]),
            np.array([[float((clip + row) * length)] for row in range(clips)]),
            clip,
            clip_length,
            duration,
        )
        clip += clips
        dropped = max(0, begin(clip) - first)
        held, first = held[dropped:], first + dropped
        return found

    def enough(clips: int) -> int:
        """Samples with which ``clips`` more clips are complete and are not the last ones."""
        after = clip + clips
        return max(begin(after - 1) + count, round((after + Fraction(1, 2)) * length * rate) + 1)

    total, waiting = 0, [held]
    for samples in _decoded(path, rate):
        waiting.append(samples)
        total += len(samples)
        if max_clips and total >= enough(max_clips):
            held = np.concatenate(waiting)
            while total >= enough(max_clips):
                yield piece(max_clips, float('nan'))
            waiting = [held]
    held = np.concatenate(waiting)
    seconds = Fraction(total, rate)
    yield piece(max(1, count_clips(seconds, length) - clip), float(seconds))


def _decoded(path: str | Path, rate: int) -> Iterator[np.ndarray]:
    """Yield the samples ``(n,)`` of a file in order, from its first picture on."""
    with MediaFile(path, 'audio') as media:
        try:
            resampler = media.av.AudioResampler(format='flt', layout='mono', rate=rate)
            expected = 0.0  # seconds of the next frame, where nothing is missing
            early = 0  # samples before the first picture
            empty = True
            for frame in media.container.decode(media.stream):
                time = expected
                if frame.pts is not None:
                    time = float(frame.pts * frame.time_base - media.start)
                gap = time - expected
                if gap > _LONGEST_PAUSE:
                    raise ValueError(f'sound at {time:.0f} s is far from what comes before')
                if empty and gap < 0:
                    early = round(-gap * rate)
                elif gap > _PAUSE or (empty and gap > 0):
                    yield np.zeros(round(gap * rate), np.float32)
                empty = False
                expected = time + frame.samples / frame.sample_rate
                for part in _samples(resampler, frame):
                    yield part[early:]
                    early = max(0, early - len(part))
            for part in [] if empty else _samples(resampler, None):
                yield part[early:]
        except media.failures as error:
            raise media.unreadable(error) from None
        if empty:
            raise media.unreadable(ValueError('its audio track holds no sound'))


def _samples(resampler: Any, frame: Any) -> Iterator[np.ndarray]:
    if frame is not None:
        frame.pts = None  # the resampler would fill or refuse what was looked at before
    for part in resampler.resample(frame):
        yield part.to_ndarray().reshape(-1)
