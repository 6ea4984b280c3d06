# SPDX-License-Identifier: Apache-2.0
"""Answers as files of which each video has its own: subtitles, and the moments as videos."""

from collections.abc import Callable, Sequence
from pathlib import Path

from vtg.utils import write_text

from .answers import Answer
from .cutting import cut


def write_subtitles(
    make: Callable[..., str], path: Path, answers: Sequence[Answer], top: int
) -> list[Path]:
    """Write one file; of several videos one for each with moments, named before the suffix.

    Args:
        make: :func:`vtg.search.exports.srt` or ``vtt``.
        path: The file.
        answers: What is written.
        top: Moments per query.

    Returns:
        The files.
    """
    videos = list(
        dict.fromkeys(moment.video for answer in answers for moment in answer.moments(top))
    )
    alone = len(answers[0].files) == 1
    written = []
    for video in videos:
        place = path if alone else path.with_name(f'{path.stem}.{video.stem}{path.suffix}')
        write_text(place, make(answers, video, top))
        written.append(place)
    return written


def cut_moments(folder: Path, answers: Sequence[Answer], top: int) -> list[Path]:
    """Cut every moment, see :func:`vtg.search.cutting.cut`, into a folder; returns the files."""
    written = []
    for query, answer in enumerate(answers, start=1):
        for rank, moment in enumerate(answer.moments(top), start=1):
            name = f'{query:02}-{rank:02}_{moment.video.stem}_{moment.start:.1f}-{moment.end:.1f}'
            written.append(cut(moment.video, moment.start, moment.end, folder / name))
    return written
