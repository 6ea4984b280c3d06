# SPDX-License-Identifier: Apache-2.0
"""Overrides of a config from the command line: read, checked against it and applied."""

import ast
import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from mmengine.config import Config, ConfigDict, DictAction

from vtg.utils import ConfigError, one_line
from vtg.utils.arguments import shown

from ..tree import drop_deletions, tree
from .places import check_key


def parse_options(options: Iterable[str]) -> dict[str, Any]:
    """Turn ``'key=value'`` texts into a dict.

    Values are numbers, booleans, None, lists (``[1,2]`` or ``1,2``), tuples, JSON objects
    (``{"type": "BiCMF"}``) and lists of these, or else text.

    Raises:
        ConfigError: A text has no key or cannot be read, or a key is given twice.
    """
    options = list(options)
    check_given_once(options)
    parsed = {}
    for option in options:
        key, separator, text = option.partition('=')
        if not separator:
            raise ConfigError(f'--cfg-options got {option!r}; expected key=value.')
        parsed[key] = _parse_value(key, text)
    return parsed


def check_given_once(options: Iterable[str]) -> None:
    """Check that no two of the ``'key=value'`` texts are about one key; only one could count.

    Raises:
        ConfigError: Two are; names both values.
    """
    given: dict[str, str] = {}
    for option in options:
        key, _, text = option.removeprefix('+').partition('=')
        if key in given:
            raise ConfigError(
                f'--cfg-options gives {key} twice, {shown(given[key])} and {shown(text)} (short '
                'forms such as --epochs count too); give it once.'
            )
        given[key] = text


def _parse_value(key: str, text: str) -> Any:
    # MMEngine would cut a list of objects at every comma.
    if not text.startswith('{') and not (text.startswith('[') and '{' in text):
        try:
            return DictAction._parse_iterable(text)
        except AssertionError as error:
            raise ConfigError(f'--cfg-options {key}={text}: {error}.') from None
    for parse in (partial(json.loads, object_pairs_hook=_without_repeats), ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError):
            continue
    raise ConfigError(
        f'--cfg-options {key}: {text} is no valid JSON object; write it like '
        """'{"type": "Name", "dim": 256}' in single quotes."""
    )


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    check_given_once(f'{key}={value}' for key, value in pairs)
    return dict(pairs)


def apply_options(cfg: Config, options: Mapping[str, Any] | Iterable[str] | None) -> None:
    """Override values of ``cfg`` in place.

    Every key must exist, so that a misspelled one does not pass unnoticed. A ``+`` in front
    (``+model.head.extra=1``) adds a new one. A dict is merged into the one that is there unless it
    holds ``"_delete_": true``.

    Raises:
        ConfigError: A key does not exist; names the nearest ones.
    """
    if not options:
        return
    if not isinstance(options, Mapping):
        options = parse_options(options)
    for key, value in options.items():
        check_key(cfg, key)
        try:
            _assign(tree(cfg), key.removeprefix('+').split('.'), value)
        except (TypeError, ValueError, AttributeError, LookupError) as error:
            raise ConfigError(
                f'--cfg-options {key}={shown(value)} cannot be applied: {one_line(error)}.'
            ) from error
    drop_deletions(tree(cfg))


def _assign(node: Any, parts: list[str], value: Any) -> None:
    """Set the value at a place; a dict is merged into one that is there."""
    if isinstance(node, list):
        _check_index(node, parts[:1])
    key: Any = int(parts[0]) if isinstance(node, list) else parts[0]
    present = isinstance(node, list) or key in node
    child = node[key] if present else None
    if isinstance(child, tuple):
        node[key] = list(child)
        child = node[key]
    if len(parts) > 1:
        if child is None:
            node[key] = ConfigDict()
            child = node[key]
        _assign(child, parts[1:], value)
    elif (
        isinstance(value, Mapping)
        and (isinstance(child, Mapping) or (isinstance(child, list) and value))
        and not value.get('_delete_')
    ):
        if isinstance(child, list):
            _check_index(child, value)
        value = ConfigDict(value)
        node[key] = Config._merge_a_into_b(value, child, allow_list_keys=True)
    else:
        node[key] = ConfigDict(value) if isinstance(value, Mapping) else value


def _check_index(node: list, keys: Iterable[str]) -> None:
    if not all(str(key).isdecimal() and int(key) < len(node) for key in keys):
        raise LookupError(
            f'there is a list of {len(node)}, whose entries are numbered from 0; give all of it to '
            'replace it'
        )
