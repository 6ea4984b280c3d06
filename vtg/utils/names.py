# SPDX-License-Identifier: Apache-2.0
"""Names that users write: suggestions for misspelled ones, and which may become files."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import ConfigError, DataError
from .text import printable

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
"""The fields of a config that hold a data loader."""

_LONGEST_FILE_NAME = 200


def nearest_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return up to ``count`` of the ``known`` names that look most like ``name``, best first."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=count, cutoff=0.5)
    return [by_lower[match] for match in close]


def did_you_mean(name: str, known: Iterable[str], count: int = 3) -> str:
    """Return the question about a misspelled name, ``'did you mean a or b?'``; ``''`` where none of
    the ``known`` ones looks like it."""
    close = nearest_names(name, known, count)
    return f'did you mean {" or ".join(close)}?' if close else ''


def check_choice(value: Any, choices: Iterable[Any], what: str) -> Any:
    """Return ``value`` if it is one of ``choices``.

    Args:
        value: What the user wrote.
        choices: All legal values.
        what: Where it was written, e.g. ``'SlidingGrounder.rank_by'``.

    Raises:
        ConfigError: It is not; names the nearest choice, or all of them.
    """
    choices = list(choices)
    if any(type(value) is type(choice) and value == choice for choice in choices):
        return value
    known = [choice for choice in choices if isinstance(choice, str)]
    close = nearest_names(value, known, 1) if isinstance(value, str) else []
    hint = f'did you mean {close[0]!r}?' if close else f'use {_one_of(choices)}.'
    raise ConfigError(f'{what} is {value!r}; {hint}')


def check_keys(
    given: Mapping[str, Any] | None, known: Iterable[str], what: str
) -> Mapping[str, Any]:
    """Return ``given`` (``{}`` for None) if all its keys are known.

    Raises:
        ConfigError: A key is unknown, or ``given`` is no mapping; names the nearest key or all.
    """
    if given is None:
        return {}
    known = list(known)
    if not isinstance(given, Mapping):
        raise ConfigError(f'{what} is {given!r}; expected a dict with {listed(known)}.')
    for key in given:
        if key not in known:
            hint = did_you_mean(str(key), known, 1) or f'it takes {listed(known)}.'
            raise ConfigError(f'{what} has no {key}; {hint}')
    return given


def listed(names: Iterable[str], most: int = 12) -> str:
    """Return names for a message, at most ``most`` of them."""
    names = list(names)
    return (', '.join(names[:most]) or 'none') + (', ...' if len(names) > most else '')


def file_name(name: Any, where: str) -> str:
    """Return an id as text that is safe as one component of a path.

    Every id of a data file that becomes part of a path goes through here.

    Args:
        name: The id: text or an integer.
        where: File, line and field it comes from, for the message.

    Raises:
        DataError: It is empty, ``.`` or ``..``, has a separator or a control character, or is
            longer than 200 bytes.
    """
    text = str(name)
    reason = None
    if isinstance(name, bool) or not isinstance(name, str | int):
        reason = f'is of type {type(name).__name__}'
    elif not text.strip() or text in ('.', '..'):
        reason = 'names no file'
    elif any(character in text for character in '/\\'):
        reason = 'has a path separator'
    elif not text.isprintable():
        reason = 'has a control character'
    elif len(text.encode('utf-8', errors='replace')) > _LONGEST_FILE_NAME:
        reason = f'is longer than {_LONGEST_FILE_NAME} bytes'
    if reason:
        shown = printable(text if len(text) <= 60 else text[:57] + '...')
        raise DataError(
            f"{where}: '{shown}' cannot be the name of a file because it {reason}; use letters, "
            'digits and characters such as - and _.'
        )
    return text


def _one_of(choices: list[Any]) -> str:
    shown = [repr(choice) for choice in choices]
    return shown[0] if len(shown) == 1 else ', '.join(shown[:-1]) + ' or ' + shown[-1]
