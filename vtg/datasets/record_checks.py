# SPDX-License-Identifier: Apache-2.0
"""What may stand in the fields of an annotation, of any format; loading and validation share it.

Every function yields a sentence for each thing that is wrong, without file and line.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

from vtg.utils import (
    TOLERANCE,
    DataError,
    exceeds,
    file_name,
    has_words,
    is_integer,
    is_number,
    shown,
)

from .repair import UNREACHABLE

TOP_GRADE = 4
# One score per clip may come from a model: cosines, or the exponentials of VideoLights' captions.
_SCORES = (-1, 13)
# Sums of twenty raters, from 1 to 5 each, are published for TVSum; YouTube Highlights has -1.
_RATINGS = (-1, 100)
_SECONDS = (TOLERANCE, 1e7)
_ADVICE = 'correct or remove it.'


def id_problems(name: str, value: Any) -> Iterator[str]:
    """An id is a text or a whole number that can be the name of a file."""
    if not isinstance(value, str | int) or isinstance(value, bool) or value == '':
        yield f'{name} is {shown(value)}; expected a text or a whole number.'
        return
    try:
        file_name(value, name)
    except DataError as error:
        yield str(error)


def query_problems(query: Any) -> Iterator[str]:
    """A query is a text with words."""
    if not isinstance(query, str) or not has_words(query):
        yield f'the query {shown(query)} has no words; correct the text or remove the record.'


def duration_problems(duration: Any) -> Iterator[str]:
    """A duration is a number from a millisecond to some months."""
    if not is_number(duration, *_SECONDS):
        yield (
            f'duration is {shown(duration)}; expected a positive number of seconds, at most '
            f'{_SECONDS[1]:,.0f}.'
        )


def window_problems(
    name: str, windows: Any, duration: float | None, unreachable: bool = False
) -> Iterator[str]:
    """Windows are ``[start, end]`` in a video of ``duration`` seconds (None: not known).

    They have a length, except where the record says that they are ``unreachable``.
    """
    if not _is_list_of(windows, _is_pair):
        yield f'{name} is {shown(windows)}; expected a list of [start, end] in seconds.'
        return
    for start, end in windows:
        low, high = _fit(start, end, math.inf if duration is None else duration)
        empty = not exceeds(end, start)
        if empty and not (unreachable and end >= start):
            yield f'window {shown([start, end])} does not end after its start; {_ADVICE}'
        elif (exceeds(low, start) or exceeds(end, high) or not (empty or exceeds(high, low))) or (
            empty and exceeds(start, high)
        ):
            known = '' if duration is None else f' (0 to {duration:g} s)'
            yield f'window {shown([start, end])} lies outside the video{known}; {_ADVICE}'


def unreachable_problems(value: Any) -> Iterator[str]:
    """``unreachable`` says why windows without length stand in a record, see ``repair``."""
    if value is not None and value not in UNREACHABLE:
        yield f'unreachable is {shown(value)}; expected {" or ".join(map(repr, UNREACHABLE))}.'


def fit_windows(windows: list[list[float]], duration: float) -> list[list[float]]:
    """Return correct windows cut at the borders of the video, which they miss by rounding."""
    return [_fit(start, end, duration) for start, end in windows]


def _fit(start: float, end: float, duration: float) -> list[float]:
    return [start if start >= 0 else 0, end if end <= duration else duration]


def score_problems(
    clips: Any, scores: Any, duration: float | None, clip_length: float | None
) -> Iterator[str]:
    """``relevant_clip_ids`` are different clips of the video, ``saliency_scores`` rows for each.

    The number of clips is checked where duration and clip length are known.
    """
    last, known = math.inf, ''
    if duration is not None and clip_length is not None:
        last = max(0, math.ceil((duration - TOLERANCE) / clip_length) - 1)
        known = f', at most {last} ({duration:g} s at {clip_length:g} s per clip)'
    if clips is not None and not _is_list_of(clips, lambda clip: is_integer(clip, 0, last)):
        yield (
            f'relevant_clip_ids is {shown(clips)}; expected a list of clip indices, 0 or '
            f'more{known}.'
        )
    elif clips is not None and len(set(clips)) < len(clips):
        yield f'relevant_clip_ids is {shown(clips)}; expected every clip once.'
    if scores is None:
        return
    if not _is_list_of(scores, lambda row: _is_list_of(row, is_number) and bool(row)):
        yield (
            f'saliency_scores is {shown(scores)}; expected one row of numbers per relevant clip, '
            'one for each annotator.'
        )
        return
    if not isinstance(clips, list) or len(clips) != len(scores):
        count = len(clips) if isinstance(clips, list) else 'no'
        yield (
            f'{count} relevant_clip_ids but {len(scores)} saliency_scores; expected one row of '
            'scores per relevant clip.'
        )
    if len(set(map(len, scores))) > 1:
        yield (
            'rows of saliency_scores differ in length; expected one score per annotator in every '
            'row.'
        )
    yield from _out_of_range(scores)


def _out_of_range(scores: list[list[float]]) -> Iterator[str]:
    low, high = _SCORES if all(len(row) == 1 for row in scores) else (0, TOP_GRADE)
    wrong = [score for row in scores for score in row if not low <= score <= high]
    if wrong:
        yield (
            f'saliency_scores has the score {shown(wrong[0])}; expected numbers from {low} to '
            f'{high}.'
        )


def rating_problems(label: Any) -> Iterator[str]:
    """``label`` has a row for every clip and a number for every rater."""
    rows = _is_list_of(label, lambda row: isinstance(row, list) and len(row) > 0)
    if not rows or not label or len(set(map(len, label))) > 1:
        yield (
            'label must hold one row of ratings per clip, all of one length; correct it or remove '
            'the record.'
        )
        return
    wrong = [value for row in label for value in row if not is_number(value, *_RATINGS)]
    if wrong:
        yield (
            f'label holds {shown(wrong[0])}; expected numbers from {_RATINGS[0]} to {_RATINGS[1]}.'
        )


def grade_problems(
    grades: Any, duration: float | None, clips: int | None, clip_length: float, tolerance: int
) -> Iterator[str]:
    """``saliency`` has a grade for every one of about ``clips`` clips (None: not known)."""
    if not _is_list_of(grades, is_number):
        yield f'saliency is {shown(grades)}; expected a list with one number per clip.'
        return
    wrong = [grade for grade in grades if not 0 <= grade <= TOP_GRADE]
    if wrong:
        yield f'saliency has the grade {shown(wrong[0])}; expected numbers from 0 to {TOP_GRADE}.'
    if clips is not None and abs(len(grades) - clips) > tolerance:
        yield (
            f'saliency has {len(grades)} numbers; expected {clips}, one per clip ({duration} s at '
            f'{clip_length:g} s per clip).'
        )


def _is_list_of(value: Any, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(holds, value))


def _is_pair(value: Any) -> bool:
    return _is_list_of(value, is_number) and len(value) == 2
