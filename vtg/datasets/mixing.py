# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of videos that are put together from pieces of others: cutting, filling, relabelling.

Times are seconds, clips are numbers of rows; a span of clips is ``(first, stop)`` without ``stop``.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from vtg.utils import Record

Span = tuple[float, float]

# Quotients this close to a whole number are one.
_EPS = 1e-6
_TEMPORAL = """
    before|prior to|earlier than|previously|formerly|once|ahead of|preceding|by the time|until|after
    following|subsequent to|later|thereafter|then|next|henceforth|from then on|since|while|as|when
    meanwhile|simultaneously|at the same time|concurrently|in the meantime|during|throughout
    all the while|ever since|as long as|so long as|from start to finish|eventually|gradually
    over time|sooner or later|in the long run|before long|by then|by now|from now on|hence
"""
_PHRASES = [text.strip() for line in _TEMPORAL.strip().splitlines() for text in line.split('|')]
_PARTS = re.compile('|'.join(map(re.escape, _PHRASES)))
_WORDS = re.compile(rf'\b(?:{_PARTS.pattern})\b')


class Piece(NamedTuple):
    """Clips ``first`` to ``stop`` of the video of a record, given by its place in the dataset."""

    record: int
    first: int
    stop: int


class Part(NamedTuple):
    """A stretch of a video: its clips, and the seconds at which it begins and ends."""

    first: int
    stop: int
    start: float
    end: float


def is_temporal(query: str, whole_words: bool = True) -> bool:
    """Whether a query orders events in time (*before*, *then*, *while* ...), which mixing breaks.

    Args:
        query: The sentence.
        whole_words: Off, parts of words count too: *as* in *glass*.
    """
    return (_WORDS if whole_words else _PARTS).search(query.lower()) is not None


def floor_clip(seconds: float, clip_length: float) -> int:
    """Return the clip that ``seconds`` lies in."""
    return math.floor(seconds / clip_length + _EPS)


def ceil_clip(seconds: float, clip_length: float) -> int:
    """Return the first clip that begins at ``seconds`` or later."""
    return math.ceil(seconds / clip_length - _EPS)


def split_video(record: Record, end: float) -> tuple[list[Span], list[Span]]:
    """Return the moments of a record and what is left of its video up to ``end``, in order of time.

    Both are empty where moments overlap.
    """
    moments = sorted((start, stop) for start, stop in record['relevant_windows'])
    if any(stop > start for (_, stop), (start, _) in pairwise(moments)):
        return [], []
    borders = [0.0, *(time for moment in moments for time in moment), end]
    rest = [(a, b) for a, b in zip(borders[::2], borders[1::2]) if b > a]
    return moments, rest


def outward(spans: Sequence[Span], clip_length: float) -> list[Part]:
    """Return the clips that every span touches; one that two of them touch goes to the first."""
    parts: list[Part] = []
    for start, end in spans:
        first = floor_clip(start, clip_length)
        if parts:
            first = max(first, parts[-1].stop)
        parts.append(Part(first, max(first, ceil_clip(end, clip_length)), start, end))
    return parts


def inward(spans: Sequence[Span], clip_length: float) -> list[Part]:
    """Return the clips that lie in every span as a whole; ``stop`` may be below ``first``."""
    return [
        Part(ceil_clip(start, clip_length), floor_clip(end, clip_length), start, end)
        for start, end in spans
    ]


def cut(
    part: Part,
    count: int,
    clip_length: float,
    step: float,
    border: Callable[[float, float], int],
    rng: np.random.Generator,
) -> list[Part] | None:
    """Cut a part at ``count`` random places, multiples of ``step`` seconds inside of it.

    Args:
        part: What is cut.
        count: Number of cuts, all different.
        clip_length: Seconds per clip.
        step: Seconds between possible places; a multiple of the clip length or not.
        border: Turns the seconds of a place into a clip.
        rng: Draws the places.

    Returns:
        ``count + 1`` parts in order; None where there are too few places.
    """
    if count < 1:
        return [part]
    low, high = (clip * clip_length for clip in part[:2])
    places = np.arange(ceil_clip(low, step) + 1, floor_clip(high, step))
    if len(places) < count:
        return None
    drawn = np.sort(rng.choice(places, count, replace=False)) * step
    times = [part.start, *drawn.tolist(), part.end]
    clips = [part.first, *(border(time, clip_length) for time in drawn.tolist()), part.stop]
    return [Part(*edges) for edges in zip(clips, clips[1:], times, times[1:])]


def runs(clips: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the spans of consecutive numbers among sorted ones."""
    numbers = np.asarray(clips, dtype=np.int64)
    for run in np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1):
        if len(run):
            yield int(run[0]), int(run[-1]) + 1


def slice_pieces(pieces: Sequence[Piece], first: int, stop: int) -> list[Piece]:
    """Return the clips ``first`` to ``stop`` of the video that pieces make."""
    found, begin = [], 0
    for piece in pieces:
        low, high = max(first, begin), min(stop, begin + piece.stop - piece.first)
        if low < high:
            found.append(Piece(piece.record, piece.first + low - begin, piece.first + high - begin))
        begin += piece.stop - piece.first
    return found


def join_pieces(
    pieces: Sequence[Piece], arrays: Callable[[int], Sequence[np.ndarray]], fill: bool = True
) -> list[np.ndarray]:
    """Put arrays together.

    Args:
        pieces: In the order of time.
        arrays: Gives the arrays ``(L_k, D_k)`` of a record by its index.
        fill: Repeat the last clip of a video where it is shorter than a piece supposes, so that the
            clips behind keep their places. Off, such a piece is shorter.

    Returns:
        One array per store.
    """
    read = {index: arrays(index) for index in {piece.record for piece in pieces}}
    stores = range(len(next(iter(read.values()))))
    joined = []
    for store in stores:
        rows = []
        for index, first, stop in pieces:
            array = read[index][store]
            rows.append(
                array[np.minimum(np.arange(first, stop), len(array) - 1)]
                if fill
                else array[first : max(first, stop)]
            )
        joined.append(np.concatenate(rows))
    return joined
