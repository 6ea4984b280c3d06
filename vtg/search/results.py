# SPDX-License-Identifier: Apache-2.0
"""Answers as files of which each video has its own: subtitles, and the moments as videos."""

import os
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from vtg.utils import write_text
from vtg.utils.text import fitting

from .answers import Answer
from .cutting import cut

# Bytes of a name, beside which there is room for numbers, times and a suffix.
_LONGEST = 200


def subtitle_files(path: Path, videos: Sequence[Path]) -> dict[Path, Path]:
    """The file with the subtitles of each video: ``path``, or of several videos one with their name
    before the suffix, and a number where names are equal."""
    if len(videos) == 1:
        return {videos[0]: path}
    files: dict[Path, Path] = {}
    taken: set[Path] = set()
    for video in videos:
        name = fitting(video.stem, _LONGEST - len(os.fsencode(path.name)))
        names = (f'{name}.{number}' if number > 1 else name for number in count(1))
        places = (path.with_name(f'{path.stem}.{name}{path.suffix}') for name in names)
        files[video] = next(place for place in places if place not in taken)
        taken.add(files[video])
    return files


def write_subtitles(
    make: Callable[..., str], path: Path, answers: Sequence[Answer], top: int
) -> list[Path]:
    """Write one file; of several videos one for each with moments, see :func:`subtitle_files`.

    Args:
        make: :func:`vtg.search.exports.srt` or ``vtt``.
        path: The file.
        answers: What is written.
        top: Moments per query.

    Returns:
        The files.
    """
    files = subtitle_files(path, answers[0].files)
    written = []
    for video in dict.fromkeys(m.video for answer in answers for m in answer.moments(top)):
        write_text(files[video], make(answers, video, top))
        written.append(files[video])
    return written


def cut_moments(folder: Path, answers: Sequence[Answer], top: int) -> list[Path]:
    """Cut every moment, see :func:`vtg.search.cutting.cut`, into a folder; returns the files."""
    written = []
    for query, answer in enumerate(answers, start=1):
        for rank, moment in enumerate(answer.moments(top), start=1):
            video = fitting(moment.video.stem, _LONGEST)
            name = f'{query:02}-{rank:02}_{video}_{moment.start:.1f}-{moment.end:.1f}'
            written.append(cut(moment.video, moment.start, moment.end, folder / name))
    return written
