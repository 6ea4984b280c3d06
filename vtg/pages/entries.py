# SPDX-License-Identifier: Apache-2.0
"""What a page shows: queries with the answers of one or several models."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_DIGITS = 3
_STEPS = 100
"""A saliency curve is drawn from its smallest to its largest value, in so many steps."""


@dataclass(frozen=True)
class Track:
    """The answer of one model to a query.

    Attributes:
        name: The model; tracks of equal name have one colour.
        moments: Rows ``(start_s, end_s)`` or ``(start_s, end_s, score)``, best first.
        saliency: One number per clip, of any range.
        clip_length: Seconds per clip.
        measure: What the curve is.
    """

    name: str
    moments: Sequence[Sequence[float]] = ()
    saliency: Sequence[float] = ()
    clip_length: float = 2.0
    measure: str = 'saliency'


@dataclass(frozen=True)
class Entry:
    """A query about a video.

    Attributes:
        query: The sentence.
        duration: Of the video, in seconds.
        tracks: The answers.
        truth: Rows ``(start_s, end_s)``; None where unknown, empty where there is no moment.
        grades: Annotated saliency, one number per clip of the first track.
        qid: Id of the query. video: Name of the video.
        source: What a ``<video>`` element plays, see :func:`vtg.pages.media_source`; ``''`` for
            none. Entries of equal source share the element.
        values: Shown beside the query; queries are sorted by those that are numbers and filtered by
            those that are texts.
    """

    query: str
    duration: float
    tracks: Sequence[Track]
    truth: Sequence[Sequence[float]] | None = None
    grades: Sequence[float] = ()
    qid: int | str = ''
    video: str = ''
    source: str = ''
    values: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A part of a report above the queries.

    Attributes:
        title: Its heading.
        html: Made by :mod:`vtg.pages.html` and :mod:`vtg.pages.plots`, which escape what they get.
    """

    title: str
    html: str


def page_data(entries: Sequence[Entry], order: str = '') -> dict[str, Any]:
    """The entries as plain values for the script of the page, without NaN and infinity.

    Args:
        entries: See :class:`Entry`.
        order: The number by which queries are sorted at first.
    """
    models = list(dict.fromkeys(track.name for entry in entries for track in entry.tracks))
    columns = list(dict.fromkeys(name for entry in entries for name in entry.values))
    place = {name: index for index, name in enumerate(models)}
    rows = [
        {
            'qid': str(entry.qid),
            'query': entry.query,
            'video': entry.video,
            'source': entry.source,
            'duration': _number(entry.duration) or 0,
            'truth': None if entry.truth is None else _rows(entry.truth),
            'grades': _curve(entry.grades),
            'tracks': [
                {
                    'model': place[track.name],
                    'moments': _rows(track.moments),
                    'curve': _curve(track.saliency),
                    'clip': _number(track.clip_length) or 0,
                    'measure': track.measure,
                }
                for track in entry.tracks
            ],
            'values': [_value(entry.values.get(name)) for name in columns],
        }
        for entry in entries
    ]
    return {'models': models, 'columns': columns, 'order': order, 'entries': rows}


def _number(value: Any) -> float | None:
    number = float(value)
    return _short(round(number, _DIGITS)) if math.isfinite(number) else None


def _short(number: float) -> float:
    """Whole numbers without a fraction, which a page of many numbers need not hold."""
    return int(number) if number.is_integer() else number


def _value(value: float | str | None) -> float | str | None:
    return value if value is None or isinstance(value, str) else _number(value)


def _rows(rows: Iterable[Sequence[float]]) -> list[list[float]]:
    """Rows of finite numbers; others cannot be drawn."""
    plain = rows.tolist() if isinstance(rows, np.ndarray) else rows
    made = [[round(float(value), _DIGITS) for value in row] for row in plain]
    return [[*map(_short, row)] for row in made if all(map(math.isfinite, row))]


def _curve(values: Sequence[float]) -> dict[str, Any] | None:
    """A curve in whole steps from its lowest to its highest value; None without one."""
    numbers = np.asarray(values, np.float64)
    finite = np.isfinite(numbers)
    if not finite.any():
        return None
    low, high = numbers[finite].min(), numbers[finite].max()
    scale = _STEPS / (high - low) if high > low else 0.0
    steps = ((np.where(finite, numbers, low) - low) * scale).round().astype(int).tolist()
    if not finite.all():
        steps = [step if real else None for step, real in zip(steps, finite)]
    return {'low': _number(low), 'high': _number(high), 'steps': steps}
