# SPDX-License-Identifier: Apache-2.0
"""The known faults of published annotations, and the one place where they are mended.

:func:`window_faults` and :func:`record_faults` name what is wrong with a record as it is stored;
:func:`repaired` mends it where a dataset reads with ``windows='repair'``. What cannot be hit any
more is not hidden: the record then says so in its field ``unreachable``, evaluation counts it as
wrong, and :func:`for_training` widens or leaves it out.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from vtg.utils import TOLERANCE, Record, check_choice, exceeds, has_words, is_integer, is_number

FAULTS: dict[str, tuple[str, str]] = {
    'float_noise': ('windows end after the video by rounding, at most 1 ms', 'cut'),
    'over_end': ('windows end after the video by more than 1 ms', 'cut'),
    'before_start': ('windows begin before the video', 'cut'),
    'outside': (
        'windows begin when the video is over',
        'left out; a query without another one is left out of training and wrong in evaluation',
    ),
    'reversed': ('windows end before they begin', 'swapped'),
    'zero_length': (
        'windows have no length',
        'one clip long in training, unreachable in evaluation',
    ),
    'shorter_than_1_ms': ('windows are shorter than 1 ms', 'as those without length'),
    'clips_outside': ('records have relevant clips outside the video', 'these clips left out'),
    'other_no_moment': ('queries say "no moment" in other ways than []', 'windows now []'),
    'outer_whitespace': ('queries begin or end with white space', 'stripped'),
    'newline_in_query': ('queries hold a line break', 'now a space'),
    'double_spaces': ('queries hold several spaces in a row', 'now one'),
    'empty_query': ('queries have no words', 'left out'),
    'entries_without_query': ('entries have no field for the query', 'left out'),
}
"""What is wrong, and what is done about it where annotations are repaired."""

WHITE_SPACE = ('outer_whitespace', 'newline_in_query', 'double_spaces')
HARMLESS = ('float_noise', *WHITE_SPACE)
"""What strict reading takes as it is."""

UNREACHABLE = ('zero_length', 'outside')
"""Values of the field ``unreachable``: why a window without length stands in a record."""


@dataclass(frozen=True)
class Tolerance:
    """How strictly an annotation file is read.

    Attributes:
        windows: ``'strict'`` refuses what is wrong, ``'repair'`` mends the known faults.
        qid: ``'unique'`` refuses repeated ids; ``'renumber'`` counts the records from 0 and keeps
            the old id, which names the text features, as ``text_key``.
        unusable: What happens in evaluation to a query that lost all its windows because they lie
            outside the video: it counts as ``'wrong'``, or is dropped (``'drop'``).
        reversed_windows: ``'swap'`` them, or ``'drop'`` the record, as the files of Charades-STA
            in the common format do.
        zero_window: ``[[0, 0]]`` is a ``'window'`` without length, or says ``'no_moment'``, as it
            does in any case where ``relevant_clip_ids`` is empty too.
        white_space: ``'collapse'`` that of queries, or ``'keep'`` it.

    Raises:
        ConfigError: A value is unknown.
    """

    windows: Literal['strict', 'repair'] = 'strict'
    qid: Literal['unique', 'renumber'] = 'unique'
    unusable: Literal['wrong', 'drop'] = 'wrong'
    reversed_windows: Literal['swap', 'drop'] = 'swap'
    zero_window: Literal['window', 'no_moment'] = 'window'
    white_space: Literal['collapse', 'keep'] = 'collapse'

    def __post_init__(self) -> None:
        check_choice(self.windows, ('strict', 'repair'), 'windows of the dataset')
        check_choice(self.qid, ('unique', 'renumber'), 'qid of the dataset')
        check_choice(self.unusable, ('wrong', 'drop'), 'unusable of the dataset')

    @property
    def repairs(self) -> bool:
        """Whether faults are mended."""
        return self.windows == 'repair'

    def done(self, fault: str) -> str:
        """What is done about a fault."""
        if fault == 'reversed' and self.reversed_windows == 'drop':
            return 'records left out'
        if fault in WHITE_SPACE and self.white_space == 'keep':
            return 'kept'
        if fault == 'outside' and self.unusable == 'drop':
            return 'left out; a query without another one is left out too'
        return FAULTS[fault][1]


def says_no_moment(record: Record, tolerance: Tolerance) -> bool:
    """Whether a record says that no moment matches its query, in any of the known ways.

    ``[]``; ``no_answer: true`` beside a window of a millisecond (CausalVTG); ``[[0, 0]]`` beside
    empty ``relevant_clip_ids`` (NA-VMR), or alone where ``tolerance`` says so.
    """
    windows = record.get('relevant_windows')
    if windows == [] or record.get('no_answer') is True:
        return True
    zero = tolerance.zero_window == 'no_moment' or record.get('relevant_clip_ids') == []
    return windows == [[0, 0]] and zero


def window_faults(start: float, end: float, duration: float) -> Iterator[str]:
    """Yield the faults of a window as it is stored."""
    over = end - duration
    if start >= duration:
        yield 'outside'
    elif over > TOLERANCE:
        yield 'over_end'
    elif over > 0:
        yield 'float_noise'
    if start < 0:
        yield 'before_start'
    if end < start:
        yield 'reversed'
    elif end == start:
        yield 'zero_length'
    elif not exceeds(end, start):
        yield 'shorter_than_1_ms'


def record_faults(record: Record, tolerance: Tolerance, clip_length: float) -> Iterator[str]:
    """Yield the faults of a record as it is stored, one by one for each window.

    What is of another type than expected is no known fault and left to the checks.
    """
    query = record.get('query')
    if query is None:
        yield 'entries_without_query'
        return
    if isinstance(query, str):
        yield from _query_faults(query)
    if says_no_moment(record, tolerance):
        if record.get('relevant_windows') != []:
            yield 'other_no_moment'
        return
    windows, duration = windows_of(record), record.get('duration')
    if windows and is_number(duration, TOLERANCE):
        known = record.get('unreachable') in UNREACHABLE
        for start, end in windows:
            if not known or exceeds(end, start):
                yield from window_faults(start, end, duration)
    if len(_clips_inside(record, clip_length)) < len(_clips(record)):
        yield 'clips_outside'


def _query_faults(query: str) -> Iterator[str]:
    if not has_words(query):
        yield 'empty_query'
    if query != query.strip():
        yield 'outer_whitespace'
    if '\n' in query:
        yield 'newline_in_query'
    if '  ' in query.strip():
        yield 'double_spaces'


def repaired(record: Record, tolerance: Tolerance, clip_length: float) -> Record | None:
    """Return a mended copy of a record, None where it has to be left out.

    Args:
        record: With a duration in seconds.
        tolerance: What to do about some faults.
        clip_length: Seconds per clip.
    """
    query = record.get('query')
    if query is None or (isinstance(query, str) and not has_words(query)):
        return None
    record = dict(record)
    if isinstance(query, str) and tolerance.white_space == 'collapse':
        record['query'] = ' '.join(query.split())
    if says_no_moment(record, tolerance):
        empty = ('relevant_windows', 'relevant_clip_ids', 'saliency_scores')
        present = [name for name in empty if name in record or name == 'relevant_windows']
        return record | {name: [] for name in present}
    record |= _mended_clips(record, clip_length)
    windows, duration = windows_of(record), record.get('duration')
    if not windows or not is_number(duration, TOLERANCE):
        return record
    mended = []
    for start, end in windows:
        if end < start and tolerance.reversed_windows == 'drop':
            return None
        low, high = sorted((start, end))
        if low < duration and high >= 0:
            mended.append([max(low, 0), min(high, duration)])
    if not mended:
        # Kept as a window that nothing overlaps, so that the query counts.
        return {**record, 'relevant_windows': [[duration, duration]], 'unreachable': 'outside'}
    if not all(exceeds(end, start) for start, end in mended):
        record['unreachable'] = 'zero_length'
    return {**record, 'relevant_windows': mended}


def for_training(record: Record, clip_length: float) -> Record | None:
    """Return what training sees of a checked record.

    Windows without length are widened to one clip around their centre and within the video; a query
    whose windows all lay outside the video is left out (None).
    """
    reason = record.get('unreachable')
    if reason is None:
        return record
    if reason == 'outside':
        return None
    duration = float(record['duration'])
    windows = [
        [start, end] if exceeds(end, start) else _widened(start, end, duration, clip_length)
        for start, end in record['relevant_windows']
    ]
    return {**record, 'relevant_windows': windows}


def widened(record: Record, shortest: float, duration: float) -> list[list[float]]:
    """Return the windows of a record, shorter ones widened to ``shortest`` seconds around their
    centre and within ``duration`` seconds."""
    return [
        _widened(start, end, duration, shortest) if end - start < shortest else [start, end]
        for start, end in record['relevant_windows']
    ]


def _widened(start: float, end: float, duration: float, length: float) -> list[float]:
    low = max(0.0, min((start + end - length) / 2, duration - length))
    return [low, min(low + length, duration)]


def windows_of(record: Record) -> list[list[float]]:
    """Return the windows of a record, [] where they are no list of pairs of numbers."""
    windows = record.get('relevant_windows')
    if not isinstance(windows, list):
        return []
    pairs = all(isinstance(w, list) and len(w) == 2 and all(map(is_number, w)) for w in windows)
    return windows if pairs else []


def _clips(record: Record) -> list[int]:
    clips = record.get('relevant_clip_ids')
    proper = isinstance(clips, list) and all(is_integer(clip, 0) for clip in clips)
    return clips if proper and clips is not None else []


def _clips_inside(record: Record, clip_length: float) -> list[int]:
    """The positions of the clips that the video has, or all where its duration is no number."""
    clips, duration = _clips(record), record.get('duration')
    count = math.inf
    if is_number(duration, TOLERANCE):
        count = max(1, math.ceil((duration - TOLERANCE) / clip_length))
    return [index for index, clip in enumerate(clips) if clip < count]


def _mended_clips(record: Record, clip_length: float) -> Record:
    clips, inside = _clips(record), _clips_inside(record, clip_length)
    if len(inside) == len(clips):
        return {}
    mended: Record = {'relevant_clip_ids': [clips[index] for index in inside]}
    scores = record.get('saliency_scores')
    if isinstance(scores, list) and len(scores) == len(clips):
        mended['saliency_scores'] = [scores[index] for index in inside]
    return mended
