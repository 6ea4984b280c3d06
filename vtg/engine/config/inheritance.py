# SPDX-License-Identifier: Apache-2.0
"""What a config file inherits, and from where."""

import ast
from pathlib import Path
from typing import Any

from ..tree import flatten, tree
from .reading import read_config


def origins(path: str | Path) -> dict[str, str]:
    """Return, for every leaf of a config file, the file that set its value.

    Keys are dotted paths. A value that a child repeats unchanged counts as its base's.
    """
    path = Path(path)
    values = dict(flatten(tree(read_config(path))))
    inherited: dict[str, str] = {}
    for base in _bases(path):
        base_values = dict(flatten(tree(read_config(base))))
        inherited |= {
            key: file
            for key, file in origins(base).items()
            if key in values and _same(values[key], base_values[key])
        }
    return {key: inherited.get(key, str(path)) for key in values}


def lineage(path: str | Path) -> list[str]:
    """Return a config file and those that it inherits from, nearest first.

    They are named by their place below the folder ``configs``; what lies elsewhere, and the shared
    files of ``configs/_base_``, are left out.
    """
    queue, names = [Path(path).resolve()], []
    for file in queue:  # grows while it is read
        queue += _bases(file)
        if 'configs' in file.parts:
            below = file.parts[len(file.parts) - file.parts[::-1].index('configs') :]
            names.append('/'.join(below))
    return [name for name in dict.fromkeys(names) if not name.startswith('_base_/')]


def _bases(path: Path) -> list[Path]:
    if path.suffix != '.py':  # a published model has none
        return []
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if not isinstance(node, ast.Assign):
            continue
        if any(isinstance(target, ast.Name) and target.id == '_base_' for target in node.targets):
            names = ast.literal_eval(node.value)
            names = [names] if isinstance(names, str) else names
            return [(path.parent / name).resolve() for name in names]
    return []


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b
