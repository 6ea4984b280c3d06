# SPDX-License-Identifier: Apache-2.0
"""Answers as text: a list to read, subtitles, and an edit decision list."""

from collections.abc import Sequence
from pathlib import Path

from vtg.utils import printable

from .answers import Answer, Moment


def clock(seconds: float) -> str:
    """``m:ss``, or ``h:mm:ss`` from an hour on."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f'{hours}:{minutes:02}:{whole % 60:02}' if hours else f'{minutes}:{whole % 60:02}'


def listing(answers: Sequence[Answer], top: int) -> str:
    """The list that is printed: times, relevance, score and, of several videos, which one."""
    lines = []
    for answer in answers:
        moments = answer.moments(top)
        lines.append(printable(answer.query))
        times = [f'{clock(m.start)} - {clock(m.end)}' for m in moments]
        width = max(map(len, times), default=0)
        for number, (moment, time) in enumerate(zip(moments, times), start=1):
            video = f'   {printable(moment.video.name)}' if len(answer.files) > 1 else ''
            lines.append(
                f'{number:3}. {time:<{width}}   relevance {moment.relevance:.2f}   '
                f'score {moment.score:7.3f}{video}'
            )
        if not moments:
            lines.append('     no moment found')
    return '\n'.join(lines)


def _by_time(answers: Sequence[Answer], video: Path, top: int) -> list[tuple[str, Moment]]:
    rows = [
        (answer.query, moment)
        for answer in answers for moment in answer.moments(top) if moment.video == video
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row[1].start, row[1].end))


def _stamp(seconds: float, comma: str) -> str:
    millis = round(seconds * 1000)
    rest = f'{millis // 3_600_000:02}:{millis // 60_000 % 60:02}:{millis // 1000 % 60:02}'
    return f'{rest}{comma}{millis % 1000:03}'


def _caption(query: str, moment: Moment) -> str:
    # An empty line would end a subtitle, an arrow would begin one.
    text = ' '.join(printable(query).split()).replace('-->', '->')
    return f'{text} ({moment.relevance:.2f})'


def srt(answers: Sequence[Answer], video: Path, top: int) -> str:
    """SubRip subtitles of the moments of one video."""
    blocks = [
        f'{number}\n{_stamp(moment.start, ",")} --> {_stamp(moment.end, ",")}\n'
        f'{_caption(query, moment)}\n'
        for number, (query, moment) in enumerate(_by_time(answers, video, top), start=1)
    ]
    return '\n'.join(blocks)


def vtt(answers: Sequence[Answer], video: Path, top: int) -> str:
    """WebVTT subtitles of the moments of one video."""
    blocks = [
        f'{_stamp(moment.start, ".")} --> {_stamp(moment.end, ".")}\n'
        + _caption(query, moment).replace('&', '&amp;').replace('<', '&lt;')
        + '\n'
        for query, moment in _by_time(answers, video, top)
    ]
    return '\n'.join(['WEBVTT\n', *blocks])


def edl(answers: Sequence[Answer], top: int, fps: int = 25) -> str:
    """An edit decision list (CMX 3600) that puts the moments one behind the other.

    Args:
        answers: All moments of all videos, query by query, best first.
        top: Moments per query.
        fps: Frames per second of the time codes.
    """

    def code(frames: int) -> str:
        seconds = frames // fps
        parts = seconds // 3600, seconds // 60 % 60, seconds % 60, frames % fps
        return ':'.join(f'{part:02}' for part in parts)

    lines, position, number = ['TITLE: vtg find', 'FCM: NON-DROP FRAME', ''], 0, 0
    for answer in answers:
        for moment in answer.moments(top):
            first = round(moment.start * fps)
            last = max(first + 1, round(moment.end * fps))
            number += 1
            ends = position + last - first
            lines += [
                f'{number:03}  AX       V     C        '
                f'{code(first)} {code(last)} {code(position)} {code(ends)}',
                f'* FROM CLIP NAME: {printable(moment.video.name)}',
                f'* COMMENT: {_caption(answer.query, moment)}',
                '',
            ]
            position = ends
    return '\n'.join(lines)
