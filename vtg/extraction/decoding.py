# SPDX-License-Identifier: Apache-2.0
"""Frames of a video at the rate of its clips, decoded exactly by time stamp.

Sampling is that of the published features, which were read through FFmpeg's filter ``fps=1/c``:
the frame of clip i is the last one that is shown before the middle of the clip, ``(i + 0.5) * c``,
and a video that ends at second T has ``round(T / c)`` clips (halves up). With f frames per clip the
same rule holds on a grid f times finer. :mod:`.sampling` has this rule and others. Times count from
the first frame of the video.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vtg.utils import ConfigError, DataError, check_clip_length

from .media import MediaFile
from .pictures import RESIZES
from .sampling import MIDDLE, Sampler, count_clips, exact_seconds

# Decoding that ends earlier than the container promises by more than this is a damaged file: a
# quarter of it, from half a second to these seconds.
_TOLERATED_LOSS = Fraction(5, 2)
# Bytes of frames that are decoded at once; longer videos are decoded in pieces.
_MOST_BYTES = 1 << 33


@dataclass(frozen=True)
class VideoClips:
    """The sampled frames of a video or of a part of it.

    Attributes:
        frames: ``(L, f, S, S, 3)`` uint8 RGB, f frames per clip.
        times: ``(L, f)`` seconds at which each frame was shown first.
        first_clip: Number of the first of these clips in the video.
        clip_length: Seconds per clip.
        duration: Seconds of the whole video.
    """

    frames: np.ndarray
    times: np.ndarray
    first_clip: int
    clip_length: float
    duration: float

    def __len__(self) -> int:
        return len(self.frames)


def _sample(
    video: MediaFile,
    step: Fraction,
    convert: Callable[[Any], np.ndarray],
    first: int,
    last: int | None,
    needed: Callable[[int], bool],
) -> Generator[tuple[float, np.ndarray | None], None, tuple[float, np.ndarray | None]]:
    """Yield the picture that is shown before the middle of every step.

    Args:
        video: The open video.
        step: Seconds per picture.
        convert: Turns a decoded picture into an array; called once per picture that is taken.
        first, last: Only the steps from ``first`` on and before ``last``.
        needed: Whether the picture of a step is converted; None stands for the others.

    Yields:
        The seconds at which the picture was shown first, and the converted picture.

    Returns:
        The duration of the video and, where it came to its end, the last picture.
    """
    number = first
    taken: tuple[Fraction, np.ndarray] | None = None

    def take(time: Fraction, picture: Any, wanted: bool) -> tuple[float, np.ndarray | None]:
        # A slow video shows one picture over several steps.
        nonlocal taken
        if not wanted:
            return float(time), None
        if taken is None or taken[0] != time:
            try:
                taken = time, convert(picture)
            except video.failures as error:
                raise video.unreadable(error) from None
        return float(time), taken[1]

    previous, stop = None, Fraction(0)
    for time, until, picture in video.pictures(first * step):
        while previous and number != last and time >= (number + Fraction(1, 2)) * step:
            yield take(*previous, needed(number))
            number += 1
        if number == last:
            return float(video.promised or stop), None
        previous, stop = (time, picture), max(stop, until)
    if previous is None:
        raise DataError(f'{video.path} holds no picture that can be decoded; copy it again.')
    promised = video.promised or stop
    if promised - stop > min(_TOLERATED_LOSS, max(promised / 4, Fraction(1, 2))):
        raise DataError(
            f'{video.path} is cut short: it says {float(promised):.1f} s but its pictures end '
            f'at {float(stop):.1f} s; copy or download it again.'
        )
    total = count_clips(stop, step)
    for rest in range(number, total if last is None else min(last, total)):
        yield take(*previous, needed(rest))
    return float(stop), take(*previous, True)[1]


def iter_clips(
    path: str | Path,
    clip_length: float = 2.0,
    size: int = 224,
    sampler: Sampler = MIDDLE,
    begin: float = 0.0,
    end: float | None = None,
    max_clips: int | None = None,
    resize: str = 'crop',
) -> Iterator[VideoClips]:
    """Decode the frames of a video in pieces of ``max_clips`` clips; see :func:`read_clips`.

    The last piece may have a clip more, or what the sampler fills up the end with. Only it knows
    the duration of the video; the others hold NaN.
    """
    length = exact_seconds(check_clip_length(clip_length))
    if size < 1:
        raise ConfigError(f'frames of {size} pixels; use at least 1.')
    if resize not in RESIZES:
        raise ConfigError(f'resize is one of {", ".join(RESIZES)}, got {resize!r}.')
    convert = RESIZES[resize]
    with MediaFile(path) as video:
        source = video.source()
        steps = sampler.steps(length, source)
        check_clip_length(float(length / steps), 'seconds per picture')
        table = sampler.table(steps, source)
        # All pictures where more than the last one fills up the end.
        shown = set(table.tolist()) if sampler.reserve == 1 else set(range(steps))
        first = round(begin / clip_length)
        asked = None if end is None else round(end / clip_length)
        ends = [sampler.most_clips(source, length), asked]
        most = min((clips for clips in ends if clips is not None), default=None)
        last = None if most is None else most * steps
        pictures = _sample(
            video, length / steps, lambda picture: convert(picture, size), first * steps, last,
            lambda step: step % steps in shown,
        )  # fmt: skip
        images: list[np.ndarray | None] = []
        times: list[float] = []

        def piece(rows: np.ndarray, duration: float) -> VideoClips:
            """The clips whose steps are these of the waiting pictures."""
            frames = rows[:, table]
            stacked = np.stack([images[row] for row in frames.flat])
            return VideoClips(
                stacked.reshape(*frames.shape, size, size, 3),
                np.asarray(times)[frames],
                first,
                clip_length,
                duration,
            )

        full = (max_clips or 0) * steps
        kept = max(steps, sampler.reserve)
        while True:
            try:
                time, image = next(pictures)
            except StopIteration as finished:
                duration, ending = finished.value
                if images and images[-1] is None:
                    images[-1] = ending
                break
            # Something stays back that is left for the last piece, and that it is filled up with.
            if full and len(images) == full + kept:
                yield piece(np.arange(full).reshape(-1, steps), float('nan'))
                first += full // steps
                del images[:full], times[:full]
            images.append(image)
            times.append(time)
            if len(images) * size * size * 3 > _MOST_BYTES:
                raise DataError(
                    f'{path} has more than {len(images)} frames, too many to be decoded at once; '
                    'cut it or choose longer clips.'
                )
    if not images:
        raise DataError(f'{path} has no pictures between {begin:g} s and {end} s.')
    stop = exact_seconds(duration if end is None else min(duration, end))
    # However short, what is asked for is one clip.
    stop = max(stop, (round(begin / clip_length) + 1) * length)
    order = sampler.arrange(first * steps + len(images), stop, length, steps)
    yield piece(order[first:most] - first * steps, duration)


def read_clips(
    path: str | Path,
    clip_length: float = 2.0,
    size: int = 224,
    sampler: Sampler = MIDDLE,
    begin: float = 0.0,
    end: float | None = None,
    resize: str = 'crop',
) -> VideoClips:
    """Decode the frames of all clips, or of those between ``begin`` and ``end`` seconds.

    Args:
        path: The video.
        clip_length: Seconds per clip.
        size: Pixels of the square frames.
        sampler: Which pictures are the frames of a clip.
        begin, end: Seconds, multiples of ``clip_length``.
        resize: ``'crop'`` cuts the square from the centre; ``'squash'`` and ``'squash_bilinear'``
            force the whole picture into it, see :mod:`vtg.extraction.pictures`.

    Raises:
        DataError: The file is missing, empty, damaged, cut short or without pictures.
    """
    (clips,) = iter_clips(path, clip_length, size, sampler, begin, end, resize=resize)
    return clips
