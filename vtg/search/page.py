# SPDX-License-Identifier: Apache-2.0
"""Answers as one HTML page with timelines and the videos."""

from collections.abc import Sequence
from pathlib import Path

from vtg.pages import Entry, Track, media_source, write_page

from .answers import Answer

NAME = 'relevance'
MOST_VIDEOS = 20
"""Videos that are shown per query, those of the best moments first."""


def write(path: Path, answers: Sequence[Answer], top: int) -> None:
    """Write the page; it plays the videos from where they lie.

    Args:
        path: The page.
        answers: What it shows.
        top: Moments per query and video.
    """
    entries = []
    for answer in answers:
        best: dict[Path, float] = {}
        for moment in answer.moments(None if len(answer.files) == 1 else 10 * top):
            best.setdefault(moment.video, moment.score)
        shown = dict(zip(answer.files, answer.results))
        for file in list(best)[:MOST_VIDEOS] or list(shown)[:1]:
            result = shown[file]
            alone = Answer(answer.query, [file], [result])
            relevance = answer.relevance(result.saliency).tolist() if result.saliency else []
            rows = [[m.start, m.end, m.score] for m in alone.moments(top)]
            track = Track(NAME, rows, relevance, result.clip_length)
            values = {'score': best.get(file, 0.0)}
            entries.append(
                Entry(
                    f'{answer.query} · {file.name}' if len(shown) > 1 else answer.query,
                    result.duration,
                    [track],
                    video=file.name,
                    source=media_source(file, path),
                    values=values,
                )
            )
    note = (
        'Click on a moment to play it. The curve is the relevance of every clip, from the least '
        '(0) to the most (1) fitting of everything that was searched.'
    )
    write_page(path, 'Moments found by vtg', entries, note=note)
