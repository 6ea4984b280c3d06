# SPDX-License-Identifier: Apache-2.0
"""Which of the formats a file is in."""

from pathlib import Path

from vtg.registry import ANNOTATION_FORMATS
from vtg.utils import ConfigError, DataError, did_you_mean, read_json, read_text, shown

from .base import AnnotationFormat, kind_of

# Larger files are no annotation that somebody gave by mistake.
_LARGEST = 1 << 28


def formats() -> dict[str, type[AnnotationFormat]]:
    """Return every registered format by name."""
    ANNOTATION_FORMATS.import_from_location()
    return dict(ANNOTATION_FORMATS.module_dict)


def find_format(name: str) -> type[AnnotationFormat]:
    """Return a format by its name.

    Raises:
        ConfigError: There is none; names the nearest, or all.
    """
    known = formats()
    key = name.lower().replace('-', '_')
    if key not in known:
        hint = did_you_mean(key, known) or f'use {", ".join(known)}.'
        raise ConfigError(f'there is no annotation format {name!r}; {hint}')
    return known[key]


def recognise(path: str | Path) -> str | None:
    """Return the name of the format that a file looks like; None where it is none of them."""
    path = Path(path)
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        try:
            content = read_json(path)
        except DataError:
            content = read_text(path)
            if content.lstrip()[:1] in ('{', '['):
                return None
    except DataError:
        return None
    return next((name for name, cls in formats().items() if cls.recognises(content)), None)


def advice(path: str | Path, first_line: str = '') -> str:
    """Say in one sentence what a file is that holds no JSON lines, and what reads it.

    Args:
        path: The file.
        first_line: What is wrong with its first line, ``''`` where that is an object.

    Returns:
        ``''`` where it may be a file of JSON lines after all.
    """
    path = Path(path)
    name = recognise(path)
    if name is not None:
        return (
            f'{path} holds no JSON lines, but looks like {formats()[name].title}: '
            f'tools/convert_annotations.py {name} {path} OUT.jsonl turns it into JSON lines.'
        )
    if not first_line:
        return ''
    expected = 'expected JSON lines, one object in braces for every query'
    try:
        kind = kind_of(read_json(path))
    except DataError:
        kind = ''
    if kind:
        return f'{path} is one {kind} of an unknown format; {expected}.'
    try:
        start = read_text(path).lstrip()[:60]
    except DataError:
        return ''
    if not start or start[0] == '{':
        return ''
    return f'{path} begins with {shown(start)}, which is no JSON; {expected}.'
