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

from vtg.utils import ConfigError, DataError, check_clip_length, printable
from vtg.utils.optional import require

from .pictures import RESIZES
from .sampling import MIDDLE, Sampler, Source, count_clips

# Decoding that ends earlier than the container promises by more than this is a damaged file: a
# quarter of it, from half a second to these seconds.
_TOLERATED_LOSS = Fraction(5, 2)
# A picture that is shown longer than this many seconds has a damaged time stamp.
_LONGEST_PICTURE = Fraction(3600)
# Larger pictures than these are damaged headers, and would fill the memory.
_MOST_PIXELS = 1 << 27
# Bytes of frames that are decoded at once; longer videos are decoded in pieces.
_MOST_BYTES = 1 << 33
# Containers of FFmpeg that hold what they play. Playlists (hls, concat, dash, ...) name other files
# and addresses, which reading a video of somebody else must not open.
_CONTAINERS = (
    'mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,flv,live_flv,asf,ogg,mxf,dv,ivf,'
    'nut,gif,rm,wtv,mjpeg,yuv4mpegpipe,mp3,wav,w64,flac,aac,aiff,caf,au,amr,ac3,eac3'
)


@dataclass(frozen=True)
class VideoInfo:
    """What a container says about its first video stream: seconds, pixels, frames per second."""

    duration: float
    width: int
    height: int
    fps: float


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


def exact_seconds(seconds: float) -> Fraction:
    """The fraction that was meant by a float: 0.1 is 1/10, 0.166667 is close to 1/6."""
    return Fraction(seconds).limit_denominator(1_000_000)


def open_media(path: str | Path) -> Any:
    """Open a video or recording with PyAV, and nothing else than this file.

    Raises:
        OSError: Or another error of PyAV; it cannot be read, or is a playlist.
    """
    av = require('av', 'decoding videos')
    # A name such as 12:30.mp4 would be taken for an address.
    return av.open(f'file:{path}', options={'format_whitelist': _CONTAINERS})


def late_pictures(path: str | Path) -> Fraction:
    """Seconds by which pictures begin behind the start that their stream states.

    Where FFmpeg does not meet one soon it states that of the sound.

    Raises:
        OSError: See :func:`open_media`.
    """
    with open_media(path) as container:
        if len(container.streams) < 2 or not container.streams.video:
            return Fraction(0)
        stream = container.streams.video[0]
        first = next((p.pts for p in container.demux(stream) if p.pts is not None), 0)
        return max(Fraction(0), (first - (stream.start_time or 0)) * stream.time_base)


class SoundMissing(DataError):
    """A file has no audio track."""


class MediaFile:
    """An open file and its first stream of a kind; failures of the decoder are ``DataError``.

    Args:
        path: The file.
        kind: ``'video'`` or ``'audio'``.

    Attributes:
        stream: The stream.
        start: Seconds at which the video begins, or the sound where there is no video; times count
            from here.
        promised: Seconds that the stream says it lasts, None where it does not say.
    """

    def __init__(self, path: str | Path, kind: str = 'video') -> None:
        self.av = require('av', 'decoding videos')
        self.path = Path(path)
        self.kind = kind
        self.container: Any = None
        # Hostile headers give numbers that PyAV itself cannot work with.
        self.failures = (self.av.error.FFmpegError, OSError, ArithmeticError, ValueError,
                         TypeError, AttributeError, MemoryError)  # fmt: skip

    def __enter__(self) -> 'MediaFile':
        if not self.path.is_file():
            raise DataError(f'video {self.path} does not exist; check the path.')
        if not self.path.stat().st_size:
            raise DataError(f'video {self.path} is empty (0 bytes); copy or download it again.')
        try:
            late = late_pictures(self.path)
            self.container = open_media(self.path)
        except self.failures as error:
            raise self.unreadable(error) from None
        videos, sounds = self.container.streams.video, self.container.streams.audio
        streams = videos if self.kind == 'video' else sounds
        if not streams:
            missing = self._without_stream()
            self.container.close()
            raise missing
        self.stream = streams[0]
        try:
            self.stream.thread_type = 'AUTO'
            if self.kind == 'video':
                self.stream.codec_context.options = {'max_pixels': str(_MOST_PIXELS)}
            first = (videos or streams)[0]
            self.start = (first.start_time or 0) * first.time_base + late
            self.promised = self._promised(late)
        except self.failures as error:
            self.container.close()
            raise self.unreadable(error) from None
        return self

    def __exit__(self, *error: object) -> None:
        self.container.close()

    def _without_stream(self) -> DataError:
        kinds = ', '.join(sorted({stream.type for stream in self.container.streams})) or 'no'
        if self.kind == 'audio':
            return SoundMissing(
                f'{self.path} has no audio track (only {kinds} streams); leave it out or use a '
                'model without sound.'
            )
        return DataError(
            f'{self.path} has no video stream (only {kinds} streams); give a file with images.'
        )

    def unreadable(self, error: BaseException) -> DataError:
        """The sentence about a failure of the decoder."""
        said = getattr(error, 'strerror', None) or str(error) or type(error).__name__
        reason = printable(said.splitlines()[0])[:200]
        return DataError(
            f'{self.path} cannot be decoded ({reason}); it is damaged or no video, copy or convert '
            'it again.'
        )

    def _promised(self, late: Fraction) -> Fraction | None:
        """Seconds that the stream says it lasts, None where it does not say."""
        if self.stream.duration:
            stated = self.stream.duration * self.stream.time_base
            return stated - late if late < stated else stated
        # Matroska and WebM keep it as a tag, '00:00:30.000000000'.
        parts = self.stream.metadata.get('DURATION', '').split(':')
        try:
            hours, minutes, seconds = (Fraction(part) for part in parts)
        except (ValueError, ZeroDivisionError):
            return None
        return self.without_start(3600 * hours + 60 * minutes + seconds) or None

    def without_start(self, end: Fraction) -> Fraction:
        """The seconds up to ``end`` of a Matroska file, which FFmpeg counts from 0 and not from
        the first picture; other writers do not, and an ``end`` before it is a length."""
        return end - self.start if 0 < self.start < end else end

    def seconds(self) -> Fraction:
        """Seconds that the container says the video lasts; decodes it where it does not say."""
        try:
            promised, total = self.promised, self.container.duration
            if promised is not None:
                return promised
            if total:
                seconds = Fraction(total, self.av.time_base)
                matroska = 'matroska' in self.container.format.name
                return self.without_start(seconds) if matroska else seconds
        except self.failures as error:
            raise self.unreadable(error) from None
        return max((end for _, end, _ in self.pictures(Fraction(0))), default=Fraction(0))

    def source(self) -> Source:
        """What a sampler wants to know."""
        stated = self.stream.duration if self.stream.frames else None
        seconds = stated * self.stream.time_base if stated else None
        return Source(Fraction(self.stream.average_rate or 0), seconds)

    def pictures(self, begin: Fraction) -> Iterator[tuple[Fraction, Fraction, Any]]:
        """Yield ``(time, end, picture)`` in order of presentation, from a key frame on that lies
        before ``begin``."""
        stream, last = self.stream, None
        try:
            length = 1 / (stream.average_rate or Fraction(25))
            if begin > 0:
                # Half a second of reserve: the picture shown before `begin` is needed too.
                target = max(self.start, self.start + begin - Fraction(1, 2))
                self.container.seek(int(target / stream.time_base), stream=stream)
            for picture in self.container.decode(stream):
                if picture.pts is None:
                    continue
                time = picture.pts * stream.time_base - self.start
                shown = (picture.duration or 0) * stream.time_base or length
                gap = time - begin if last is None else abs(time - last)
                if max(shown, gap) > _LONGEST_PICTURE:
                    raise ValueError(f'a picture at {float(time):.0f} s is far from the others')
                last = time
                yield time, time + shown, picture
        except self.failures as error:
            raise self.unreadable(error) from None


def probe(path: str | Path) -> VideoInfo:
    """Return what the container says; decodes nothing where the length is stored.

    Raises:
        DataError: See :func:`read_clips`.
    """
    with MediaFile(path) as video:
        seconds, stream = video.seconds(), video.stream
        return VideoInfo(
            float(seconds), stream.width, stream.height, float(stream.average_rate or 0)
        )


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
