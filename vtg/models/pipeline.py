# SPDX-License-Identifier: Apache-2.0
"""Building, checking and describing the slots of the model."""

import inspect
from collections.abc import Sequence
from typing import Any

from terminaltables import AsciiTable
from torch import nn

from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError, nearest_names

from .base import SLOT_TYPES, Component

# Slots that hold a dict of named components instead of one.
GROUPS = ('feedback', 'auxiliary')


def fill_defaults(cfg: Any, defaults: dict[str, Any]) -> Any:
    """Give every component in a config the defaults that it takes and does not set itself.

    Args:
        cfg: A config; components are the dicts with a ``type``, at any depth.
        defaults: Values by argument name, e.g. ``dict(dim=256, num_heads=8)``.

    Returns:
        A new config; unknown types are left for the builder to report.
    """
    if isinstance(cfg, dict):
        filled = {key: fill_defaults(value, defaults) for key, value in cfg.items()}
        name = cfg.get('type')
        cls = MODELS.get(name) if isinstance(name, str) else name
        if cls is not None:
            taken = inspect.signature(cls).parameters
            filled = {key: value for key, value in defaults.items() if key in taken} | filled
        return filled
    if isinstance(cfg, list | tuple):
        return type(cfg)(fill_defaults(value, defaults) for value in cfg)
    return cfg


def build_slots(configs: dict[str, dict | None]) -> dict[str, Component]:
    """Build every slot and check that it got a component of its kind.

    Args:
        configs: Slot name to config; ``feedback`` and ``auxiliary`` hold a dict of configs.

    Returns:
        Components by slot name, group members as ``'<group>.<name>'``; empty slots are left out.

    Raises:
        ConfigError: A slot is unknown or got a component of another kind.
    """
    slots: dict[str, Component] = {}
    for name, cfg in configs.items():
        if name not in SLOT_TYPES or name == 'loss_balancer':
            close = nearest_names(name, SLOT_TYPES)
            known = f'the slots are {", ".join(SLOT_TYPES)}.'
            hint = f'did you mean {close[0]}?' if close else known
            raise ConfigError(f'model.{name} is not a slot of the model; {hint}')
        members = (cfg or {}).items() if name in GROUPS else [('', cfg)]
        for member, member_cfg in members:
            if member_cfg is None:
                continue
            full_name = f'{name}.{member}' if member else name
            slots[full_name] = _build(full_name, member_cfg, SLOT_TYPES[name])
    return slots


def _build(name: str, cfg: dict[str, Any], kind: type[Component]) -> Component:
    component = MODELS.build(cfg)
    if not isinstance(component, kind):
        fitting = sorted(
            key
            for key, cls in MODELS.module_dict.items()
            if isinstance(cls, type) and issubclass(cls, kind)
        )
        raise ConfigError(
            f'model.{name} got {type(component).__name__}, which is of kind '
            f'{getattr(component, "slot", "module")} and not {kind.slot}; registered are: '
            f'{", ".join(fitting)}.'
        )
    return component


def check_pipeline(
    slots: dict[str, Component], stages: Sequence[str], negative_stages: Sequence[str]
) -> None:
    """Check that every component runs, finds what it requires and has the width of the others.

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
        if name not in stages and not name.startswith('auxiliary.'):
            raise ConfigError(
                f'model.{name} ({type(component).__name__}) is configured but never runs: add '
                f'{name!r} to model.stages where it should run.'
            )
    for name in negative_stages:
        if name not in stages:
            raise ConfigError(
                f'model.negatives.stages names {name!r}, which model.stages does not run.'
            )
    _check_fields(slots, stages)
    _check_hints(slots, stages)
    _check_widths(slots)


def _provided(name: str, component: Component | None) -> set[str]:
    """The fields that a stage sets."""
    if component is None:
        return set(GroundingState.PASSED_ON.get(name, {}))
    if name in ('video_projector', 'text_projector'):
        modality = name.split('_')[0]
        return {modality, f'projected_{modality}'}
    return set(component.provides)


def _check_fields(slots: dict[str, Component], stages: Sequence[str]) -> None:
    known = set(GroundingState.INPUTS)
    for index, name in enumerate(stages):
        later = {
            field: after for after in stages[index + 1 :]
            for field in _provided(after, slots.get(after))
        }  # fmt: skip
        if name in slots:
            _check_requires(name, slots[name], known, later)
        known |= _provided(name, slots.get(name))
    for name, component in slots.items():
        if name.startswith('auxiliary.'):
            _check_requires(name, component, known, {})
        for field in component.loss_requires:
            if field not in known:
                raise ConfigError(
                    f'the losses of model.{name} ({type(component).__name__}) need `{field}`, '
                    f'which nothing sets: set {_provider(field)}.'
                )


def _check_requires(
    name: str, component: Component, known: set[str], later: dict[str, str]
) -> None:
    for field in component.requires:
        if field in later and field not in known:
            raise ConfigError(
                f'model.{name} ({type(component).__name__}) needs `{field}`, which '
                f'model.{later[field]} sets only after it: move {name!r} behind it in model.stages.'
            )
        if field not in known:
            raise ConfigError(
                f'model.{name} ({type(component).__name__}) needs `{field}`, which nothing before '
                f'it sets: set {_provider(field)}.'
            )


def _check_hints(slots: dict[str, Component], stages: Sequence[str]) -> None:
    for index, name in enumerate(stages):
        later = [slots[after] for after in stages[index + 1 :] if after in slots]
        provided = slots[name].provides if name in slots else ()
        for field in set(provided) & set(GroundingState.HINTS):
            if not any(field in component.reads for component in later):
                readers = sorted(
                    key
                    for key, cls in MODELS.module_dict.items()
                    if isinstance(cls, type) and issubclass(cls, Component) and field in cls.reads
                )
                raise ConfigError(
                    f'model.{name} ({type(slots[name]).__name__}) sets `{field}`, which nothing '
                    f'after it reads: run one of {", ".join(readers)} behind it, or configure it '
                    'to change something else.'
                )


def _provider(field: str) -> str:
    """Say which slot sets a field: from the slots' base classes, else from what is registered."""
    for slot, kind in SLOT_TYPES.items():
        if field in kind.provides:
            return f'model.{slot}'
    components = {
        name: cls for name, cls in sorted(MODELS.module_dict.items())
        if isinstance(cls, type) and issubclass(cls, tuple(SLOT_TYPES.values()))
    }  # fmt: skip
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
    first = next(iter(widths), None)
    for name, dim in widths.items():
        if dim != widths[first]:
            raise ConfigError(
                f'model.{name} works on {dim} channels but model.{first} on {widths[first]}; '
                'give all slots the same dim.'
            )


def describe(model: nn.Module) -> str:
    """Return a table of slots, components and parameter counts in the order they run."""
    # A stage may run twice.
    names = [name for name in dict.fromkeys(model.stages) if name in model.slots]
    names += [name for name in model.slots if name not in names]
    rows = [['slot', 'component', 'parameters']]
    total = 0
    for name in names:
        component = model.slots[name]
        count = sum(parameter.numel() for parameter in component.parameters())
        total += count
        rows.append([name, type(component).__name__, f'{count:,}'])
    balancer = model.loss_balancer
    count = sum(parameter.numel() for parameter in balancer.parameters())
    rows.append(['loss_balancer', type(balancer).__name__, f'{count:,}'])
    rows.append(['total', '', f'{total + count:,}'])
    table = AsciiTable(rows, type(model).__name__)
    table.justify_columns[2] = 'right'
    return table.table
