# SPDX-License-Identifier: Apache-2.0
"""Whether the components of a model fit each other, found out before training."""

from collections.abc import Sequence

from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError

from .base import SLOT_TYPES, Component, Feedback
from .dataflow import (
    Stage,
    check_runs,
    end_readers,
    loss_fields,
    loss_parts,
    needs,
    stage_of,
    stages_of,
    unread_fields,
    way_without,
)
from .negative_pass import check_negatives
from .slots import expand


def check_pipeline(
    slots: dict[str, Component],
    stages: Sequence[str],
    negative_stages: Sequence[str] = (),
    keep: Sequence[str] = (),
) -> None:
    """Check that every component runs, finds what it requires, has an effect and the width of the
    others, and that the negative pass is one.

    Args:
        slots: Components by their full names.
        stages: Full names, and empty slots, in the order in which they run.
        negative_stages: The same of the negative pass, empty without one.
        keep: ``model.negatives.keep``.

    Raises:
        ConfigError: With one sentence that says what to change.
    """
    for name in stages:
        group, _, member = name.partition('.')
        if group not in SLOT_TYPES or (member and name not in slots):
            raise ConfigError(
                f'model.stages names {name!r}, but there is no such slot; set model.{name} or '
                'remove it from model.stages.'
            )
    for name, component in slots.items():
        if component.is_stage and name not in stages:
            raise ConfigError(
                f'model.{name} ({type(component).__name__}) is configured but never runs: place it '
                f"beside a stage with model.{name}.after='...', or add {name!r} to model.stages."
            )
    for name in negative_stages:
        if name not in stages:
            raise ConfigError(
                f'model.negatives.stages names {name!r}, which model.stages does not run.'
            )
    described = stages_of(slots, stages)
    _check_fields(slots, described)
    _check_pyramids(described)
    _check_effects(slots, described)
    check_negatives(slots, stages, negative_stages, keep)
    _check_widths(slots)


def _check_fields(slots: dict[str, Component], stages: Sequence[Stage]) -> None:
    known = set(GroundingState.INPUTS)
    for index, stage in enumerate(stages):
        later = {field: after.name for after in stages[index + 1 :] for field in after.provides}
        if stage.component is not None:
            _check_requires(stage.name, stage.component, known, later)
        if isinstance(stage.component, Feedback):
            check_runs(stage, slots)
            made = set(known)
            for inner in expand(slots, stage.component.runs):
                if inner in slots:
                    _check_requires(stage.name, slots[inner], made, later, inner)
                made |= stage_of(slots, inner).provides
        known |= stage.provides
    for name, component in slots.items():
        if not component.is_stage:
            _check_requires(name, component, known, {})
        for field in loss_fields(component):
            if field not in known:
                raise ConfigError(
                    f'the losses of model.{name} ({type(component).__name__}) need `{field}`, '
                    f'which nothing sets: {_remedy(name, component, field)}.'
                )


def _check_requires(
    stage: str,
    component: Component,
    known: set[str],
    later: dict[str, str],
    name: str | None = None,
) -> None:
    """Check that a component finds its fields in a stage; one of feedback runs others again."""
    name = name or stage
    for field in needs(component):
        if field in later and field not in known:
            raise ConfigError(
                f'model.{name} ({type(component).__name__}) needs `{field}`, which '
                f'model.{later[field]} sets only after it: move {stage!r} behind it, with '
                f'model.{stage}.after={later[field]!r} or in model.stages.'
            )
        if field not in known:
            raise ConfigError(
                f'model.{name} ({type(component).__name__}) needs `{field}`, which nothing before '
                f'it sets: {_remedy(name, component, field)}.'
            )


def _check_pyramids(stages: Sequence[Stage]) -> None:
    """Check that the reader of a pyramid is set up for the one that was made last."""
    strides: tuple[float, ...] = ()
    for stage in stages:
        if 'pyramid' in stage.reads and strides and stage.component is not None:
            stage.component.check_pyramid(strides)
        strides = getattr(stage.component, 'strides', ()) or strides


def _check_effects(slots: dict[str, Component], stages: Sequence[Stage]) -> None:
    """Check that somebody reads what is made for others to read."""
    if not {*GroundingState.OUTPUTS} & {field for stage in stages for field in stage.provides}:
        return  # a trunk without heads is there for its features
    read_before: set[str] = set()
    for stage, unread in unread_fields(stages, end_readers(slots)):
        hints = stage.provides & GroundingState.hints()
        useless = {*unread} >= hints if hints else {*unread} == stage.provides
        if not hints:
            useless = useless and not loss_parts(stage.component)
        # One that has a reader in front of the stage is in the wrong place.
        early = [] if stage.is_feedback else [f for f in unread if f in hints & read_before]
        read_before |= stage.reads
        if stage.component is None or not (useless or early):
            continue
        field = next(iter(early or sorted(hints) or unread))
        readers = sorted(
            key
            for key, cls in MODELS.module_dict.items()
            if isinstance(cls, type) and issubclass(cls, Component)
            and field in (*cls.requires, *cls.reads, *cls.can_do_without, *cls.suggests)
        )  # fmt: skip
        raise ConfigError(
            f'{stage} sets `{field}`, which nothing after it reads: run one of '
            f'{", ".join(readers)} behind it, configure it to change something else, or leave '
            f'model.{stage.name} away.'
        )


def _remedy(name: str, component: Component, field: str) -> str:
    """Say what to set so that a component finds a field or does without."""
    without = way_without(name, component, field)
    remedy = f'set {_provider(field, component.suggests.get(field))}'
    return remedy if without is None else f'{remedy}, or set {without}'


def _provider(field: str, suggested: str | None) -> str:
    """Say which slot sets a field: from the slots' base classes, else from what is registered."""
    for slot, kind in SLOT_TYPES.items():
        source = slot.removesuffix('_projector')
        made = (source, f'projected_{source}') if source != slot else kind.provides
        if field in made:
            return f'model.{slot}'
        if source != slot and field == f'layered_{source}' and suggested:
            return f'model.{slot}, for example to {suggested}'
    components: dict[str, type[Component]] = {
        name: cls for name, cls in sorted(MODELS.module_dict.items())
        if isinstance(cls, type) and issubclass(cls, Component)
        and issubclass(cls, tuple(SLOT_TYPES.values()))
    }  # fmt: skip
    if suggested in components:
        return f'model.{_slot_of(components[suggested])}, for example to {suggested}'
    for name, cls in components.items():
        if field in cls.provides:
            return f'model.{_slot_of(cls)}, for example to {name}'
    for name, cls in components.items():
        if field in cls.can_provide:
            return f'model.{_slot_of(cls)}, for example to {name} with {cls.can_provide[field]}'
    return 'a component that does'


def _slot_of(cls: type[Component]) -> str:
    return next(slot for slot, kind in SLOT_TYPES.items() if issubclass(cls, kind))


def _check_widths(slots: dict[str, Component]) -> None:
    widths = {name: slot.dim for name, slot in slots.items() if slot.dim is not None}
    for name, dim in widths.items():
        first, wanted = next(iter(widths.items()))
        if dim != wanted:
            raise ConfigError(
                f'model.{name} works on {dim} channels but model.{first} on {wanted}; '
                'give all slots the same dim.'
            )
