# SPDX-License-Identifier: Apache-2.0
"""Every test can fail: it asserts something itself, or calls a helper or fixture that does."""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parent
# What fails a test besides ``assert`` and functions called ``assert_...``.
CHECKS = {'raises', 'warns', 'fail'}


class Function(NamedTuple):
    """What a function of the tests does, that of functions inside it included."""

    line: int
    arguments: set[str]
    names: set[str]
    asserts: bool


def function(node: ast.FunctionDef | ast.ClassDef) -> Function:
    nodes = list(ast.walk(node))
    names = {n.attr if isinstance(n, ast.Attribute) else n.id
             for n in nodes if isinstance(n, ast.Attribute | ast.Name)}  # fmt: skip
    asserts = any(isinstance(n, ast.Assert) for n in nodes) or bool(CHECKS & names)
    asserts = asserts or any(name.startswith('assert_') for name in names)
    arguments = {a.arg for a in node.args.args} if isinstance(node, ast.FunctionDef) else set()
    return Function(node.lineno, arguments, names, asserts)


def functions(text: str) -> dict[str, Function]:
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {n.name: function(n) for n in ast.walk(ast.parse(text)) if isinstance(n, kinds)}


def asserting(found: dict[str, Function], known: frozenset[str] = frozenset()) -> frozenset[str]:
    """Names of the functions that assert, by themselves or by one that they call."""
    named = known | {name for name, item in found.items() if item.asserts}
    while more := {
        name for name, item in found.items()
        if name not in named and (item.names | item.arguments) & named
    }:  # fmt: skip
        named |= more
    return named


@cache
def helpers() -> frozenset[str]:
    files = [
        *TESTS.rglob('conftest.py'),
        *TESTS.rglob('helpers/**/*.py'),
        TESTS / 'fuzz/campaign.py',
    ]
    found: dict[str, Function] = {}
    for file in files:
        found |= functions(file.read_text())
    return asserting(found)


def idle(text: str, known: frozenset[str]) -> list[tuple[int, str]]:
    """Line and name of the tests that cannot fail by what they find."""
    found = functions(text)
    named = asserting(found, known - found.keys())
    tests = [name for name in found if name.startswith('test_') and name not in named]
    return [(found[name].line, name) for name in tests]


def test_every_test_asserts_something():
    files = sorted(TESTS.rglob('test_*.py'))
    assert len(files) > 300
    problems = [
        f'{file.relative_to(TESTS.parent)}:{line} {name}'
        for file in files for line, name in idle(file.read_text(), helpers())
    ]  # fmt: skip
    assert not problems, problems


def test_what_asserts_is_told_from_what_does_not():
    text = (
        'def check(x): assert x\ndef run(x): return x\n'
        'def test_a(): run(1)\ndef test_b(): check(1)\ndef test_c(refused): refused()\n'
        'def test_d():\n    with pytest.raises(E): run(1)\n'
        'def test_e(): np.testing.assert_equal(1, 1)\n'
    )
    assert idle(text, frozenset({'refused'})) == [(3, 'test_a')]
