# SPDX-License-Identifier: Apache-2.0
"""Main and negative pass of a training step, as one batch where both run the same stages."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vtg.structures import GroundingState, RunStages, chosen, separated, spread

from .dataflow import Slots, Stage, stages_of


@dataclass(frozen=True)
class TrainingPass:
    """The stages of both passes: each alone, then both as one batch, then each alone.

    Attributes:
        before, negative_before: Stages of either pass in front of the joint ones.
        joint: Stages that both run, empty where none can.
        after, negative_after: Stages of either pass behind them.
        takes: State fields that the joint ones read as others left them.
        chooses: The negative pass may run on some samples of the batch.
    """

    before: tuple[str, ...]
    negative_before: tuple[str, ...] = ()
    joint: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    negative_after: tuple[str, ...] = ()
    takes: frozenset[str] = frozenset()
    chooses: bool = False

    @property
    def main(self) -> tuple[str, ...]:
        """All stages of the main pass."""
        return (*self.before, *self.joint, *self.after)

    @property
    def negative(self) -> tuple[str, ...]:
        """All stages of the negative pass."""
        return (*self.negative_before, *self.joint, *self.negative_after)

    def run(
        self, run: RunStages, state: GroundingState, rows: Tensor | None = None
    ) -> GroundingState:
        """Run both passes.

        Args:
            run: Runs stages on a state.
            state: The inputs.
            rows: ``(R,)`` the samples that the negative pass is needed for; None for all.

        Returns:
            The state behind all stages, with ``negative``, which may hold zeros at other samples.
        """
        rows = rows if self.chooses else None
        state = run(state, self.before)
        made = {}
        if self.joint:
            start = _with_next_text(state, rows)
            negative = run(start, self.negative_before)
            both = state.joined(negative, self.takes)
            values = run(both, self.joint).changes(both)
            front, back = separated(values, len(state.duration))
            made = {**negative.changes(start), **back}
            state = run(state.update(**front), self.after)
        start = _with_next_text(state, rows)
        negative = run(start.update(**made), self.negative_after)
        if rows is not None:
            made = spread(negative.changes(start), rows, len(state.duration))
            negative = state.roll_text().update(**made)
        return state.update(negative=negative)


def _with_next_text(state: GroundingState, rows: Tensor | None) -> GroundingState:
    negative = state.roll_text()
    if rows is None:
        return negative
    # Targets lie on the host as well, outputs have layers as first axis; nothing here reads either.
    return chosen(negative.update(targets=None, moment_outputs=None), rows)


def plan(slots: Slots, stages: Sequence[str], negative_stages: Sequence[str]) -> TrainingPass:
    """Find the longest run of stages that both passes may run as one batch.

    All of them allow it (``Component.joint``), run once in each pass, and read what the negative
    pass would read behind all stages.

    Args:
        slots: Components by their full names.
        stages: Of the main pass.
        negative_stages: Of the negative pass.
    """
    main, negative = stages_of(slots, stages), stages_of(slots, negative_stages)
    chooses = all(stage.component is None or stage.component.joint for stage in negative)
    found = TrainingPass(tuple(stages), negative_after=tuple(negative_stages), chooses=chooses)
    for first, stage in enumerate(main):
        if stage.name not in negative_stages:
            continue
        place = list(negative_stages).index(stage.name)
        for count in range(1, len(main) - first + 1):
            joint = tuple(stages[first : first + count])
            if joint != tuple(negative_stages[place : place + count]):
                break
            if count <= len(found.joint) or not _may_join(main, negative, first, place, count):
                continue
            inside = main[first : first + count]
            found = TrainingPass(
                tuple(stages[:first]), tuple(negative_stages[:place]), joint,
                tuple(stages[first + count :]), tuple(negative_stages[place + count :]),
                frozenset().union(*(each.reads for each in inside)), chooses,
            )  # fmt: skip
    return found


def _may_join(
    main: Sequence[Stage], negative: Sequence[Stage], first: int, place: int, count: int
) -> bool:
    inside = main[first : first + count]
    for stage in inside:
        once = all([each.name for each in run].count(stage.name) == 1 for run in (main, negative))
        if not (once and (stage.component is None or stage.component.joint)):
            return False
    streams = GroundingState.streams()
    # The negative pass sees fields as the last stage leaves them, but for what feedback has made.
    late = set().union(*(stage.provides for stage in main[first:])) - streams
    made: set[str] = set()
    for stage in negative[: place + count]:
        if (stage.reads - made) & late:
            return False
        made |= stage.provides
    early = set().union(*(stage.provides for stage in main[:first])) & streams
    return not any(stage.reads & early for stage in inside)


def needed_rows(valid: Tensor) -> Tensor | None:
    """Samples whose negative pair is one, where they are less than half of the batch; else None.

    Args:
        valid: ``(B,)`` on the host, True = a pair of different source videos.

    Returns:
        ``(R,)`` with at least one sample, so that losses on none are 0 and connected to the graph.
    """
    if torch.compiler.is_compiling():
        return None  # sizes would depend on the numbers
    rows = valid.nonzero().squeeze(1)
    if 2 * len(rows) >= len(valid):
        return None
    return rows if len(rows) else rows.new_zeros(1)
