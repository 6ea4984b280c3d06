# SPDX-License-Identifier: Apache-2.0
"""An open video or recording: its streams, its length, and its pictures in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vtg.utils import DataError, printable
from vtg.utils.optional import require

from .sampling import Source

# A picture that is shown longer than this many seconds has a damaged time stamp.
_LONGEST_PICTURE = Fraction(3600)
# Larger pictures than these are damaged headers, and would fill the memory.
_MOST_PIXELS = 1 << 27
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
        DataError: See :func:`vtg.extraction.read_clips`.
    """
    with MediaFile(path) as video:
        seconds, stream = video.seconds(), video.stream
        return VideoInfo(
            float(seconds), stream.width, stream.height, float(stream.average_rate or 0)
        )
