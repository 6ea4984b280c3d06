# SPDX-License-Identifier: Apache-2.0
"""What the stages of a model read and set, from the declarations of its components."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vtg.structures import GroundingState
from vtg.utils import ConfigError, did_you_mean

from .base import SLOT_TYPES, Component, Feedback
from .slots import expand, members

# Components by their full names.
Slots = dict[str, Component]


@dataclass(frozen=True)
class Stage:
    """A stage as the checks see it.

    Attributes:
        name: Its full name, or that of an empty slot.
        component: What runs; None in an empty slot, which passes fields on.
        reads: State fields that it needs or takes into account.
        provides: State fields that it sets.
        text_free: Those of them that take nothing from the text.
    """

    name: str
    component: Component | None
    reads: frozenset[str]
    provides: frozenset[str]
    text_free: frozenset[str]

    def __str__(self) -> str:
        kind = f' ({type(self.component).__name__})' if self.component is not None else ''
        return f'model.{self.name}{kind}'

    @property
    def is_feedback(self) -> bool:
        """Whether it lets one task change the input of the other."""
        return isinstance(self.component, Feedback)


def needs(component: Component) -> list[str]:
    """The state fields that must be set; a later member of a chain needs the result before it."""
    return [component.finds.get(field, field) for field in component.requires]


def stage_of(slots: Slots, name: str) -> Stage:
    """Describe a stage; an empty slot passes fields on."""
    component = slots.get(name)
    if component is None:
        passed = SLOT_TYPES[name].passes if name in SLOT_TYPES else {}
        return Stage(name, None, frozenset(passed.values()), frozenset(passed), frozenset())
    reads = {component.finds.get(field, field) for field in (*component.requires, *component.reads)}
    provides = set(component.provides)
    if isinstance(component, Feedback):
        made: set[str] = set()
        for inner in expand(slots, component.runs):
            stage = stage_of(slots, inner)
            reads |= stage.reads - made - {*component.changes}
            made |= stage.provides
        provides |= made & {*component.passes_on}
    fields = map(frozenset, (reads, provides, component.text_free))
    return Stage(name, component, *fields)


def stages_of(slots: Slots, names: Sequence[str]) -> list[Stage]:
    """Describe the stages in the order in which they run."""
    return [stage_of(slots, name) for name in names]


def loss_fields(component: Component) -> list[str]:
    """The state fields that the losses of a component and of all its parts read."""
    fields = [
        field for module in component.modules() for field in getattr(module, 'loss_requires', ())
    ]
    return list(dict.fromkeys(fields))


def loss_parts(component: Component | None) -> list[Component]:
    """The parts of a component that are losses."""
    parts = () if component is None else component.modules()
    return [part for part in parts if getattr(part, 'slot', '').endswith('_loss')]


def way_without(name: str, component: Component, field: str) -> str | None:
    """The setting of a component or of one of its parts that makes ``field`` unnecessary."""
    for path, module in component.named_modules():
        settings: dict[str, str] = getattr(module, 'can_do_without', {})
        declared = {*getattr(module, 'requires', ()), *getattr(module, 'loss_requires', ())}
        if field in settings and field in declared:
            return '.'.join(filter(None, ('model', name, path, settings[field])))
    return None


def end_readers(slots: Slots) -> dict[str, list[str]]:
    """The fields that are read when all stages have run, by the losses and auxiliary branches."""
    readers: dict[str, list[str]] = {field: ['the result'] for field in GroundingState.OUTPUTS}
    for name, component in slots.items():
        fields = loss_fields(component)
        if not component.is_stage:
            fields += [*component.requires, *component.reads]
        for field in fields:
            readers.setdefault(field, []).append(name)
    return readers


def unread_fields(stages: Sequence[Stage], at_end: Any) -> Iterator[tuple[Stage, list[str]]]:
    """Yield every stage with the fields it sets and nothing reads before they are set anew.

    Args:
        stages: All stages in order.
        at_end: Fields that are read when all have run.
    """
    for index, stage in enumerate(stages):
        unread = []
        for field in sorted(stage.provides):
            for later in stages[index + 1 :]:
                if field in later.reads:
                    break
                if field in later.provides and not later.is_feedback:
                    unread.append(field)
                    break
            else:
                if field not in at_end:
                    unread.append(field)
        yield stage, unread


def check_runs(stage: Stage, slots: Slots) -> None:
    """Check the stages that a feedback component runs again.

    Raises:
        ConfigError: One is no slot or empty, or the change reaches nothing that it takes.
    """
    feedback = stage.component
    assert isinstance(feedback, Feedback)
    tainted = {*feedback.changes}
    for name in feedback.runs:
        runs = members(slots, name)
        if runs == [name] and name not in (*slots, *SLOT_TYPES):
            hint = (
                did_you_mean(name, [*slots, *SLOT_TYPES], 1) or f'the slots are {", ".join(slots)}.'
            )
            raise ConfigError(f'{stage} runs {name!r} again, which is not a slot; {hint}')
        if name in feedback.needs_slots and runs[0] not in slots:
            raise ConfigError(f'{stage} runs model.{name} again, which is empty; set model.{name}.')
        for again in stages_of(slots, runs):
            if again.reads & tainted:
                tainted |= again.provides
    if feedback.changes and feedback.runs and not tainted & {*feedback.takes}:
        raise ConfigError(
            f'{stage} changes `{feedback.changes[0]}` and runs {", ".join(feedback.runs)} again, '
            'which do not pass it on: run every stage from the first that reads it, for example '
            'fusion, encoder and neck.'
        )
