# SPDX-License-Identifier: Apache-2.0
"""Whatever is public says what it does, itself or in the class of ours that declares it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Said by the docstring of the file, and by PyTorch.
ELSEWHERE = ('main', 'parse_args', 'extra_repr')


def definitions(body: list[ast.stmt], owner: str = '') -> Iterator[tuple[str, ast.AST]]:
    """Public functions, classes and methods with the name of their class in front."""
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from definitions(node.body, owner)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith('_'):
            yield f'{owner}{node.name}', node
            if isinstance(node, ast.ClassDef):
                yield from definitions(node.body, f'{node.name}.')


def undocumented(files: list[Path]) -> list[str]:
    bases: dict[str, list[str]] = {}
    documented: set[str] = set()
    silent: dict[str, Path] = {}
    for file in files:
        for name, node in definitions(ast.parse(file.read_text(encoding='utf-8')).body):
            if isinstance(node, ast.ClassDef):
                bases[name] = [ast.unparse(base).split('.')[-1] for base in node.bases]
            if ast.get_docstring(node) or _sets(node):
                documented.add(name)
            elif name.split('.')[-1] not in ELSEWHERE:
                silent[name] = file

    def said(owner: str, method: str, seen: tuple[str, ...] = ()) -> bool:
        return owner not in seen and (
            f'{owner}.{method}' in documented
            or any(said(base, method, (*seen, owner)) for base in bases.get(owner, ()))
        )

    return [
        f'{file.relative_to(ROOT)}: {name}' for name, file in silent.items()
        if not ('.' in name and said(*name.split('.')))
    ]  # fmt: skip


def _sets(node: ast.AST) -> bool:
    """Whether it is the setter of a property, which says what both do."""
    return any(ast.unparse(each).endswith('.setter') for each in node.decorator_list)


def test_public_names_have_docstrings():
    files = [file for room in ('vtg', 'tools') for file in sorted((ROOT / room).rglob('*.py'))]
    assert undocumented(files) == []


def test_what_is_looked_for_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), 'ROOT', tmp_path)
    file = tmp_path / 'a.py'
    file.write_text(
        'class A:\n    """A."""\n    def f(self):\n        """F."""\n    def g(self): ...\n'
        'class B(A):\n    """B."""\n    def f(self): ...\n    def h(self): ...\n'
        'def one(): ...\ndef _two(): ...\n'
    )
    assert undocumented([file]) == ['a.py: A.g', 'a.py: B.h', 'a.py: one']
