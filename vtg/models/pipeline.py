# SPDX-License-Identifier: Apache-2.0
"""Building and describing the components of the model."""

import inspect
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from mmengine.logging import print_log
from torch import nn

from vtg.registry import MODELS
from vtg.utils import ConfigError, check_keys, terminal_table
from vtg.utils.arguments import PlacedError, check_value, signature_of

from .base import SLOT_TYPES, Component, LossBalancer
from .slots import PLACES


def fill_defaults(cfg: Any, defaults: Mapping[str, Any]) -> Any:
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
            taken = _arguments_of(cls)
            filled = {key: value for key, value in defaults.items() if key in taken} | filled
        return filled
    if isinstance(cfg, list | tuple):
        return type(cfg)(fill_defaults(value, defaults) for value in cfg)
    return cfg


@cache
def _arguments_of(cls: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(cls).parameters


def check_defaults(defaults: Mapping[str, Any], slots: Any) -> None:
    """Check that some component takes every default, and its value; note those that only components
    outside this model take, so that an exchanged component does not turn them into an error.

    Args:
        defaults: Values by argument name.
        slots: The configs of the model's components.

    Raises:
        ConfigError: No component takes a default, or the value is none that it takes.
    """
    MODELS.import_from_location()
    takers: dict[str, list[Any]] = {}
    components: list[Any] = [cls for cls in MODELS.module_dict.values() if _is_a(cls, Component)]
    for cls in components:
        for name in signature_of(cls).arguments:
            takers.setdefault(name, []).append(cls)
    check_keys(defaults, takers, 'model.defaults')
    used = {name for cls in _classes(slots) for name in signature_of(cls).arguments}
    for name, value in defaults.items():
        cls = takers[name][-1]
        hint = signature_of(cls).arguments[name].hint
        check_value(value, hint, name, cls.__name__, f'defaults.{name}')
        if name not in used:
            some = ', '.join(sorted({cls.__name__ for cls in takers[name]})[:3])
            print_log(
                f'model.defaults.{name} has no effect: no component of this model takes it; others '
                f'do, such as {some}.', 'current', logging.WARNING,
            )  # fmt: skip


def _classes(cfg: Any) -> Iterator[Any]:
    """Yield the class of every component of a config, and of the parts that it has by default."""
    if isinstance(cfg, list | tuple):
        for value in cfg:
            yield from _classes(value)
    if isinstance(cfg, Mapping):
        name = cfg.get('type')
        cls = MODELS.get(name) if isinstance(name, str) else name
        if callable(cls):
            yield cls
        for value in {**getattr(cls, 'parts', {}), **cfg}.values():
            yield from _classes(value)


def build_components(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, Component]:
    """Build every component and check that it is of the kind of its slot.

    Args:
        configs: See :func:`vtg.models.slots.component_configs`; chains in the order in which they
            run.

    Raises:
        ConfigError: A component is of another kind.
    """
    built: dict[str, Component] = {}
    for name, cfg in configs.items():
        slot, _, member = name.partition('.')
        try:
            component = MODELS.build({key: v for key, v in cfg.items() if key not in PLACES})
        except PlacedError as error:
            raise error.within(name, 'model') from error.__cause__
        kind = SLOT_TYPES[slot]
        if not isinstance(component, kind):
            fitting = sorted(key for key, cls in MODELS.module_dict.items() if _is_a(cls, kind))
            raise ConfigError(
                f'model.{name} got {type(component).__name__}, which is of kind '
                f'{getattr(component, "slot", "module")} and not {kind.slot}; registered are: '
                f'{", ".join(fitting)}.'
            )
        index = sum(other.startswith(f'{slot}.') for other in built)
        component.place(slot, index if member else 0)
        built[name] = component
    return built


def _is_a(cls: Any, kind: type) -> bool:
    return isinstance(cls, type) and issubclass(cls, kind)


def describe(
    title: str, slots: Mapping[str, Component], stages: Sequence[str], balancer: LossBalancer
) -> str:
    """Return a table of slots, components and parameter counts in the order they run."""
    # A stage may run twice.
    parts: dict[str, nn.Module] = {name: slots[name] for name in stages if name in slots}
    parts = {**parts, **slots, 'loss_balancer': balancer}
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
    rows = [[name, type(part).__name__, f'{counts[name]:,}'] for name, part in parts.items()]
    rows.append(['total', '', f'{sum(counts.values()):,}'])
    return terminal_table(('slot', 'component', 'parameters'), rows, title, text_columns=2)
