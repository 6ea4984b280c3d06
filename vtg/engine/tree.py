# SPDX-License-Identifier: Apache-2.0
"""The nested dicts and lists of a config: its leaves, and the components in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

# Dicts whose `type` is an argument of a function, not a component.
_PLAIN = ('clip_grad',)


def tree(cfg: Config | Mapping[str, Any]) -> Any:
    """The dict behind a config, so that what is changed in it changes the config."""
    return cfg._cfg_dict if isinstance(cfg, Config) else cfg


def flatten(value: Any, prefix: str = '') -> Iterator[tuple[str, Any]]:
    """Yield ``(dotted path, leaf)`` of nested dicts and lists; empty ones are leaves."""
    if isinstance(value, Mapping | list | tuple) and len(value):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from flatten(item, f'{prefix}.{key}' if prefix else str(key))
    else:
        yield prefix, value


def components_of(node: Any, place: str = '') -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the place and config of all that names its ``type``, whatever stands there."""
    if isinstance(node, Mapping):
        if 'type' in node and place.rpartition('.')[2] not in _PLAIN:
            yield place, node
        items: Any = node.items()
    elif isinstance(node, list | tuple):
        items = enumerate(node)
    else:
        return
    for key, value in items:
        yield from components_of(value, f'{place}.{key}' if place else str(key))


def drop_deletions(node: Any) -> None:
    """Remove ``_delete_`` where there was nothing to delete; MMEngine leaves it in the config."""
    if isinstance(node, dict):
        node.pop('_delete_', None)
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, dict | list | tuple):
            drop_deletions(value)
