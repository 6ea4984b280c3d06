# SPDX-License-Identifier: Apache-2.0
"""What a docstring of the package refers to is there, as written or from where it is written."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = re.compile(r':(func|class|meth|data|mod|attr|exc):`([^`]+)`')


def docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield every docstring of a module, those of its names too, with the class that holds it."""
    owners = {
        id(part): node.name
        for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
        for part in ast.walk(node)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield owners.get(id(node), ''), str(node.value.value)


def finds(start: Any, path: str) -> bool:
    """Whether a dotted path leads from an object or module to something."""
    for name in path.split('.'):
        fields = getattr(start, '__dataclass_fields__', {})
        if not hasattr(start, name) and name not in fields:
            if not isinstance(start, ModuleType):
                return False
            try:
                importlib.import_module(f'{start.__name__}.{name}')
            except ImportError:
                return False
        start = getattr(start, name, None)
    return True


def resolves(reference: str, module: ModuleType, owner: str) -> bool:
    path = reference.rpartition('<')[2].rstrip('>').lstrip('~')
    package = module.__name__ if hasattr(module, '__path__') else module.__package__ or ''
    if path.startswith('.'):
        return finds(importlib.import_module(package), path.lstrip('.'))
    top = path.split('.')[0]
    if top in ('vtg', 'torch', 'mmengine'):
        return finds(importlib.import_module(top), path.removeprefix(f'{top}.'))
    places = [module, *([getattr(module, owner)] if hasattr(module, owner) else [])]
    return any(finds(place, path) for place in places)


def broken(source: str, module: ModuleType) -> list[str]:
    return [
        reference
        for owner, text in docstrings(ast.parse(source))
        for _, reference in REFERENCE.findall(text)
        if not resolves(re.sub(r'\s+', '', reference), module, owner)
    ]


def test_every_reference_leads_somewhere():
    wrong = []
    for path in sorted((ROOT / 'vtg').rglob('*.py')):
        source = path.read_text(encoding='utf-8')
        if not REFERENCE.search(source):
            continue
        parts = path.relative_to(ROOT).with_suffix('').parts
        name = '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)
        module = importlib.import_module(name)
        wrong += [f'{name}: {reference}' for reference in broken(source, module)]
    assert not wrong, '\n'.join(wrong)


def test_a_reference_to_nothing_is_found():
    import vtg.utils.io as module

    text = '"""See :func:`read_json`, :func:`vtg.utils.read_json` and :mod:`.text`."""'
    assert broken(text, module) == []
    for name in ('read_yaml', 'vtg.utils.read_yaml', 'vtg.nowhere', '.nowhere'):
        assert broken(f'def f():\n    """See :func:`{name}`."""', module) == [name]
    inside = 'class Stopped:\n    """See :attr:`{}`."""'
    import vtg.utils.cli

    assert broken(inside.format('args'), vtg.utils.cli) == []
    assert broken(inside.format('argz'), vtg.utils.cli) == ['argz']
