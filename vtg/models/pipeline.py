# SPDX-License-Identifier: Apache-2.0
"""Building and describing the slots of the model."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from vtg.registry import MODELS
from vtg.utils import ConfigError, check_keys, nearest_names, terminal_table
from vtg.utils.arguments import check_value, signature_of

from .base import SLOT_TYPES, Component

# Slots that hold a dict of named components instead of one.
GROUPS = ('feedback', 'auxiliary')


def fill_defaults(cfg: Any, defaults: dict[str, Any]) -> Any:
    """Give every component in a config the defaults that it takes and does not set itself, and the
    parts that it is built of where it names none.

    Args:
        cfg: A config; components are the dicts with a ``type``, at any depth.
        defaults: Values by argument name, e.g. ``dict(dim=256, num_heads=8)``.

    Returns:
        A new config; unknown types are left for the builder to report.
    """
    if isinstance(cfg, dict):
        name = cfg.get('type')
        cls = MODELS.get(name) if isinstance(name, str) else name
        parts = {**getattr(cls, 'parts', {}), **cfg}
        filled = {key: fill_defaults(value, defaults) for key, value in parts.items()}
        if cls is not None:
            taken = inspect.signature(cls).parameters
            filled = {key: value for key, value in defaults.items() if key in taken} | filled
        return filled
    if isinstance(cfg, list | tuple):
        return type(cfg)(fill_defaults(value, defaults) for value in cfg)
    return cfg


def as_configs(slots: dict[str, Any]) -> dict[str, Any]:
    """Let the bare name of a component stand for its config, in slots and in their groups.

    Raises:
        ConfigError: A slot holds neither a name nor a config with a type.
    """

    def config(name: str, value: Any) -> Any:
        cfg = {'type': value} if isinstance(value, str) else value
        if cfg is not None and not (isinstance(cfg, dict) and 'type' in cfg):
            raise ConfigError(
                f'model.{name} is {value!r}; expected the name of a component, '
                "dict(type='Name', ...) or None."
            )
        return cfg

    configs = {}
    for name, value in slots.items():
        if name not in GROUPS or value is None:
            configs[name] = config(name, value)
        elif isinstance(value, dict) and 'type' not in value:
            configs[name] = {key: config(f'{name}.{key}', item) for key, item in value.items()}
        else:
            raise ConfigError(
                f'model.{name} is {value!r}; expected components by name, for example '
                f"{name}=dict(first=dict(type='Name', ...))."
            )
    return configs


def check_defaults(defaults: Mapping[str, Any]) -> None:
    """Check that some component takes every default, and its value.

    Raises:
        ConfigError: None does, or the value is none that it takes.
    """
    MODELS.import_from_location()
    hints = {
        name: (argument.hint, cls.__name__)
        for cls in MODELS.module_dict.values()
        if isinstance(cls, type) and issubclass(cls, Component)
        for name, argument in signature_of(cls).arguments.items()
    }
    check_keys(defaults, hints, 'model.defaults')
    for name, value in defaults.items():
        hint, what = hints[name]
        check_value(value, hint, name, what, f'defaults.{name}')


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


def describe(model: nn.Module) -> str:
    """Return a table of slots, components and parameter counts in the order they run."""
    # A stage may run twice.
    names = [name for name in dict.fromkeys(model.stages) if name in model.slots]
    names += [name for name in model.slots if name not in names]
    rows = []
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
    header = ('slot', 'component', 'parameters')
    return terminal_table(header, rows, type(model).__name__, text_columns=2)
