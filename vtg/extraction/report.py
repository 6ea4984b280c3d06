# SPDX-License-Identifier: Apache-2.0
"""What an extraction did, and how fast it was."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Outcome(NamedTuple):
    """What became of one file or query.

    Attributes:
        name: Of the features.
        rows: Clips or tokens that were written.
        problem: The sentence, where nothing was written.
        without_sound: Whether the problem is a missing audio track.
        cut: Rows that one of several encoders gave more than another.
        decoding, encoding: Seconds of work.
    """

    name: str
    rows: int = 0
    problem: str = ''
    without_sound: bool = False
    cut: int = 0
    decoding: float = 0.0
    encoding: float = 0.0


@dataclass
class ExtractionReport:
    """What was done: names with their number of rows, what was there already, what failed.

    Attributes:
        written: Rows by name.
        skipped: Names that were there already.
        changed: Names that were there, but of another video; they are made anew.
        problems: Sentences by name.
        without_sound: How many of the problems are missing audio tracks.
        cut: How many of the written had rows of different counts in several encoders.
        seconds: From the first to the last result; models are loaded before.
        decoding, encoding: Seconds of work, of all processes and threads.
    """

    written: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    changed: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    without_sound: int = 0
    cut: int = 0
    seconds: float = field(default=0.0, compare=False)
    decoding: float = field(default=0.0, compare=False)
    encoding: float = field(default=0.0, compare=False)

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        if outcome.problem:
            self.problems[outcome.name] = outcome.problem
            self.without_sound += outcome.without_sound
        else:
            self.written[outcome.name] = outcome.rows
            self.cut += outcome.cut > 0
        self.decoding += outcome.decoding
        self.encoding += outcome.encoding

    def summary(self) -> str:
        """One line for people."""
        rows = sum(self.written.values())
        text = f'{len(self.written)} written ({rows} rows), {self.skipped} there already'
        if self.changed:
            text += f', {self.changed} anew because their videos have changed'
        text += f', {len(self.problems)} failed'
        if self.without_sound:
            text += f' ({self.without_sound} without an audio track)'
        if self.cut:
            text += f'; {self.cut} cut to the shortest of their encoders'
        return text

    def throughput(self) -> str:
        """One line about the speed; empty where nothing was timed."""
        rows, work = sum(self.written.values()), self.decoding + self.encoding
        if not rows or not work or not self.seconds:
            return ''
        return (
            f'{rows / self.seconds:.1f} clips per second; of the work {self.decoding / work:.0%} '
            f'was decoding ({self.decoding:.1f} s) and the rest encoding ({self.encoding:.1f} s)'
        )
