# SPDX-License-Identifier: Apache-2.0
"""Parts of a video as files of their own, without encoding them again where possible."""

from fractions import Fraction
from pathlib import Path
from typing import Any

from vtg.extraction.media import late_pictures, open_media
from vtg.utils import DataError, atomic_write, printable
from vtg.utils.optional import require

# Suffix of a video -> name of its container.
_FORMATS = {'.mp4': 'mp4', '.m4v': 'mp4', '.mov': 'mov', '.mkv': 'matroska', '.webm': 'webm'}


def cut(video: Path, start: float, end: float, stem: Path) -> Path:
    """Write the seconds ``start`` to ``end`` of a video to a file beside ``stem``.

    Packets are copied, so nothing is lost and no time is spent. A copy can begin at a key frame
    only: it begins with the last one before ``start``. Containers that cannot be written, or do not
    take these streams, become Matroska.

    Args:
        video: The file.
        start, end: Seconds from the first picture on.
        stem: Path of the new file without its suffix.

    Returns:
        The new file.

    Raises:
        DataError: The video cannot be read or copied.
    """
    suffix = video.suffix.lower() if video.suffix.lower() in _FORMATS else '.mkv'
    av = require('av', 'cutting videos')
    tries = dict.fromkeys((suffix, '.mkv'))
    problem: BaseException | None = None
    for ending in tries:
        path = stem.with_name(stem.name + ending)
        try:
            with atomic_write(path) as temporary:
                _copy(av, video, start, end, temporary, _FORMATS[ending])
            return path
        except (av.error.FFmpegError, ValueError, ArithmeticError) as error:
            problem = error
    reason = printable(str(problem).splitlines()[0])[:200]
    raise DataError(f'{video} cannot be cut ({reason}); convert it to MP4 or Matroska.')


def _copy(av: Any, video: Path, start: float, end: float, target: Path, container: str) -> None:
    with open_media(video) as source, av.open(f'file:{target}', 'w', format=container) as out:
        pictures = source.streams.video[0]
        streams = [pictures, *source.streams.audio[:1]]
        copies = {stream.index: out.add_stream_from_template(stream) for stream in streams}
        origin = (pictures.start_time or 0) * pictures.time_base + late_pictures(video)
        begin, stop = origin + Fraction(start), origin + Fraction(end)
        source.seek(int(begin / pictures.time_base), stream=pictures)
        first: Fraction | None = None
        for packet in source.demux(streams):
            if packet.dts is None or packet.pts is None:
                continue
            time = packet.pts * packet.time_base
            if packet.stream.index == pictures.index and first is None:
                if not packet.is_keyframe:
                    continue
                first = min(packet.pts, packet.dts) * packet.time_base
            # Sound before the first picture is of what was left out.
            if first is None or time < first or packet.dts * packet.time_base >= stop:
                if packet.stream.index == pictures.index and first is not None:
                    break
                continue
            shift = round(first / packet.time_base)
            packet.pts -= shift
            packet.dts -= shift
            packet.stream = copies[packet.stream.index]
            out.mux(packet)
        if first is None:
            raise ValueError('no key frame')
