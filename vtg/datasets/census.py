# SPDX-License-Identifier: Apache-2.0
"""What an annotation file holds and what is wrong with it, counted as it is stored."""

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from vtg.utils import Record, is_number, shown

from .repair import (
    FAULTS,
    HARMLESS,
    Tolerance,
    for_training,
    record_faults,
    repaired,
    says_no_moment,
    windows_of,
)

_MANY_WINDOWS, _LONG = 5, 150
_MOST_CUT = 0.1
_FACTS = {
    'repeated_qids': 'qids occur more than once',
    'records_beyond_first_of_a_qid': 'records have a qid that is already used',
    'videos_with_several_durations': 'videos have several durations',
    'no_moment': 'queries have no moment',
    'unreachable': 'queries have a window without length that is known and cannot be hit',
    'shorter_than_clip': 'windows are shorter than one clip',
    'longer_than_150s': 'windows are longer than 150 s',
    'unsorted_queries': 'queries have windows that are not sorted',
    'overlapping_queries': 'queries have windows that overlap',
    'queries_over_5_windows': 'queries have more than 5 windows',
}
_WRONG = (*FAULTS, 'repeated_qids', 'videos_with_several_durations')


class Census:
    """Counts over the records of a file, before anything is mended.

    Windows of queries without a moment do not count, and entries without a query are no queries.

    Args:
        clip_length: Seconds per clip.
        tolerance: How the file is read.
    """

    def __init__(self, clip_length: float, tolerance: Tolerance | None = None) -> None:
        self.clip_length = clip_length
        self.tolerance = tolerance or Tolerance()
        self.max_over = 0.0
        self._counts: Counter[str] = Counter()
        self._qids: Counter[str] = Counter()
        self._durations: defaultdict[str, set[float]] = defaultdict(set)
        self._worst: tuple[Any, list[float], float] | None = None

    def add(self, record: Record) -> None:
        """Count a record whose duration is in seconds."""
        self._counts.update(record_faults(record, self.tolerance, self.clip_length))
        if record.get('query') is None:
            return
        self._counts['queries'] += 1
        self._qids[str(record.get('qid'))] += 1
        durations = self._durations[str(record.get('vid'))]
        duration = record.get('duration')
        if is_number(duration):
            durations.add(duration)
        if says_no_moment(record, self.tolerance):
            self._counts['no_moment'] += 1
            return
        windows = windows_of(record)
        self._counts['unreachable'] += record.get('unreachable') is not None
        self._counts.update(self._facts(windows))
        if windows and is_number(duration):
            worst = max(windows, key=lambda window: window[1])
            if worst[1] - duration > self.max_over:
                self.max_over = worst[1] - duration
                self._worst = record.get('qid'), worst, duration

    def _facts(self, windows: list[list[float]]) -> dict[str, int]:
        lengths = [end - start for start, end in windows]
        ordered = sorted(windows)
        return {
            'windows': len(windows),
            'shorter_than_clip': sum(0 < length < self.clip_length for length in lengths),
            'longer_than_150s': sum(length > _LONG for length in lengths),
            'unsorted_queries': any(a[0] > b[0] for a, b in pairwise(windows)),
            'overlapping_queries': any(a[1] > b[0] for a, b in pairwise(ordered)),
            'queries_over_5_windows': len(windows) > _MANY_WINDOWS,
        }

    def counts(self) -> dict[str, float]:
        """Return every count by name, zeros included; ``max_over_s`` is in seconds."""
        repeated = [count for count in self._qids.values() if count > 1]
        several = sum(len(durations) > 1 for durations in self._durations.values())
        counts = {name: self._counts[name] for name in ('queries', 'windows', *FAULTS, *_FACTS)}
        return {
            **counts,
            'videos': len(self._durations),
            'max_over_s': round(self.max_over, 6),
            'repeated_qids': len(repeated),
            'records_beyond_first_of_a_qid': sum(repeated) - len(repeated),
            'videos_with_several_durations': several,
            'clip_length_s': self.clip_length,
        }

    def lines(self, everything: bool = False) -> list[str]:
        """One line for each thing that is wrong: name, count, what it is and what is done about it.

        Args:
            everything: Count what is only worth knowing too.
        """
        counts = self.counts()
        names = [*FAULTS, *_FACTS] if everything else self._wrong()
        found = {name: int(counts[name]) for name in names if counts[name]}
        width = max(map(len, found), default=0)
        return [f'{name:<{width}} {count:>6}  {self._say(name)}' for name, count in found.items()]

    def summary(self) -> str:
        """The same in one line, ``''`` where nothing is wrong."""
        counts = self.counts()
        names = (*self._wrong(), 'unreachable')
        return '; '.join(f'{int(counts[n])} {self._say(n)}' for n in names if counts[n])

    def _wrong(self) -> list[str]:
        """What is wrong: all that is mended, or what strict reading refuses."""
        return [name for name in _WRONG if self.tolerance.repairs or name not in HARMLESS]

    def _say(self, name: str) -> str:
        if name in FAULTS:
            done = f': {self.tolerance.done(name)}' if self.tolerance.repairs else ''
            return f'{FAULTS[name][0]}{done}'
        renumbered = name == 'repeated_qids' and self.tolerance.qid == 'renumber'
        return f'{_FACTS[name]}{": all numbered anew" if renumbered else ""}'

    def warning(self) -> str | None:
        """Name the worst record, where so much was cut that the file may be the wrong one."""
        cut, windows = self._counts['over_end'] + self._counts['outside'], self._counts['windows']
        if self._worst is None or not (
            cut > _MOST_CUT * windows or self.max_over > 2 * self.clip_length
        ):
            return None
        qid, window, duration = self._worst
        return (
            f'{cut} of {windows} windows end more than 1 ms after their video, by up to '
            f'{self.max_over:.4g} s (qid {shown(qid)}: {shown(window)} in {duration:g} s); check '
            'that the durations are those of these videos'
        )


class Reading:
    """One pass over a file: counts every record and mends it as the tolerance says."""

    def __init__(self, clip_length: float, tolerance: Tolerance | None = None) -> None:
        self.tolerance = tolerance or Tolerance()
        self.census = Census(clip_length, self.tolerance)
        self._next = 0

    def settle(self, record: Record) -> Record | None:
        """Count a record and return it as it is read; None leaves it out."""
        self.census.add(record)
        settled: Record | None = record
        if self.tolerance.repairs:
            settled = repaired(record, self.tolerance, self.census.clip_length)
        if settled is not None and self.tolerance.qid == 'renumber' and 'qid' in settled:
            old = settled.get('text_key', settled['qid'])
            settled = {**settled, 'qid': self._next, 'text_key': old}
            self._next += 1
        return settled

    def finish(self, record: Record, training: bool) -> Record | None:
        """Return what training or evaluation sees of a checked record; None leaves it out."""
        if training:
            return for_training(record, self.census.clip_length)
        dropped = self.tolerance.unusable == 'drop' and record.get('unreachable') == 'outside'
        return None if dropped else record
