# SPDX-License-Identifier: Apache-2.0
"""The combinations of a grid, and how each changes a config."""

import hashlib
import inspect
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry

from vtg import registry as registries
from vtg.engine.components import check_components
from vtg.engine.config import apply_options, parse_options
from vtg.utils import ConfigError

_OPENING, _CLOSING = '([{', ')]}'


@dataclass(frozen=True)
class Cell:
    """One combination: ``values`` holds the text of every varied config key."""

    values: tuple[tuple[str, str], ...]

    @property
    def changes(self) -> tuple[tuple[str, str], ...]:
        """Those of the values that are overrides of its config."""
        return self.values

    def start(self, base: Config) -> Config:
        """A config of its own to change, usually a copy of ``base``."""
        return base.copy()

    @property
    def name(self) -> str:
        """A folder name that depends on keys and values alone, so that a grid can grow."""
        if not self.values:
            return 'base'
        text = ' '.join(f'{key}={value}' for key, value in self.values)
        shown = '-'.join(re.sub(r'[^\w.]+', '_', value).strip('_')[:24] for _, value in self.values)
        return f'{shown[:80]}-{hashlib.sha256(text.encode()).hexdigest()[:6]}'

    @property
    def label(self) -> str:
        """The combination for people."""
        return ', '.join(f'{key}={value}' for key, value in self.values) or 'the config as it is'


def split_values(text: str) -> list[str]:
    """Split ``'a,{"b": [1, 2]},c'`` at the commas outside of brackets and quotes."""
    parts, depth, quote, start = [], 0, '', 0
    for index, char in enumerate(text):
        if quote:
            quote = '' if char == quote else quote
        elif char in '"\'':
            quote = char
        elif char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
        elif char == ',' and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [part.strip() for part in (*parts, text[start:])]


def make_cells(grids: Sequence[str]) -> list[Cell]:
    """All combinations of ``'key=value,value,...'`` texts, the last key varying fastest.

    Raises:
        ConfigError: A text has no key or no value, or a key occurs twice.
    """
    axes: dict[str, list[str]] = {}
    for grid in grids:
        key, separator, text = grid.partition('=')
        values = split_values(text)
        if not separator or not key or '' in values:
            raise ConfigError(f'--grid got {grid!r}; expected key=value,value,...')
        if key in axes:
            raise ConfigError(f'--grid names {key} twice; give all its values at once.')
        if len(set(values)) < len(values):
            raise ConfigError(f'--grid {key} holds a value twice: {text}.')
        axes[key] = values
    return [Cell(tuple(zip(axes, values))) for values in itertools.product(*axes.values())]


def apply_cell(cfg: Config, cell: Cell) -> list[str]:
    """Change ``cfg`` as a cell says, in place.

    A new ``type`` keeps the arguments that the new component takes and drops the others. A dict
    with another ``type`` does the same and is then merged; one with ``"_delete_": true`` replaces
    what was there.

    Returns:
        Sentences about what was dropped.

    Raises:
        ConfigError: A key does not exist or a component is not registered.
    """
    notes = []
    for key, text in cell.changes:
        value = parse_options([f'{key}={text}'])[key]
        place, name = key, None
        if key.endswith('.type') and isinstance(value, str):
            place, name = key.removesuffix('.type'), value
        elif isinstance(value, Mapping) and not value.get('_delete_'):
            name = value.get('type')
        if name is not None:
            notes += _swap_type(cfg, place.removeprefix('+'), name)
        apply_options(cfg, {key: value})
    check_components(cfg)
    return notes


def _swap_type(cfg: Config, place: str, name: str) -> list[str]:
    """Drop the arguments at ``place`` that the component ``name`` does not take."""
    node: Any = cfg
    for part in place.split('.'):
        node = node.get(part) if isinstance(node, Mapping | Config) else None
    cls = _find(name)
    if not isinstance(node, dict) or cls is None or node.get('type') == name:
        return []
    taken = inspect.signature(cls).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken):
        return []
    names = {'type', *(parameter.name for parameter in taken)}
    dropped = [key for key in node if key not in names]
    old = node.get('type')
    for key in dropped:
        del node[key]
    return [f'{place}: {name} does not take {", ".join(dropped)} of {old}.'] if dropped else []


def _find(name: str) -> type | None:
    for registry in vars(registries).values():
        if isinstance(registry, Registry) and registry.get(name) is not None:
            return registry.get(name)
    return None
