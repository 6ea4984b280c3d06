# SPDX-License-Identifier: Apache-2.0
"""Answers as one HTML page with timelines and the videos."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vtg.pages import Entry, Track, media_source, write_page

from .answers import Answer

NAME = 'moments'
MOST_VIDEOS = 20
"""Videos that are shown per query, those of the best moments first."""


def entries(
    answers: Mapping[str, Sequence[Answer]],
    top: int,
    source: Callable[[Path], str] = lambda file: '',
) -> tuple[list[Entry], list[Path]]:
    """What a page shows.

    Args:
        answers: Of every model, by its name: the same queries and files in the same order. Videos
            are chosen by the first model.
        top: Moments per query and video.
        source: What plays a video.

    Returns:
        One entry per query and video that is shown, and its video.
    """
    made, files = [], []
    for several in zip(*answers.values()):
        answer = several[0]
        best: dict[Path, float] = {}
        for moment in answer.moments(None if len(answer.files) == 1 else 10 * top):
            best.setdefault(moment.video, moment.score)
        many = len(answer.files) > 1
        for file in list(best)[:MOST_VIDEOS] or list(answer.files)[:1]:
            place = list(answer.files).index(file)
            made.append(
                Entry(
                    f'{answer.query} · {file.name}' if many else answer.query,
                    answer.results[place].duration,
                    [_track(name, one, place, top) for name, one in zip(answers, several)],
                    video=file.name,
                    source=source(file),
                    values={'score': best.get(file, 0.0)},
                )
            )
            files.append(file)
    return made, files


def _track(name: str, answer: Answer, place: int, top: int) -> Track:
    result = answer.results[place]
    alone = Answer(answer.query, [answer.files[place]], [result])
    rows = [[m.start, m.end, m.score] for m in alone.moments(top)]
    relevance = answer.relevance(result.saliency).tolist() if result.saliency else []
    return Track(name, rows, relevance, result.clip_length, 'relevance')


def write(path: Path, answers: Sequence[Answer], top: int) -> None:
    """Write the page; it plays the videos from where they lie.

    Args:
        path: The page.
        answers: What it shows.
        top: Moments per query and video.
    """
    note = (
        'Click on a moment to play it; the number beside it is its score. The curve is the '
        'relevance of every clip, from the least (0) to the most (1) fitting of everything that '
        'was searched.'
    )
    shown, _ = entries({NAME: answers}, top, lambda file: media_source(file, path))
    write_page(path, 'Moments found by vtg', shown, note=note)
