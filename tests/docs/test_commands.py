# SPDX-License-Identifier: Apache-2.0
"""Command lines in the documentation name scripts, options and configs that exist."""

import argparse
import re
import runpy
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / 'README.md', *sorted(ROOT.glob('docs/*.md')), *sorted(ROOT.glob('configs/*/*.md'))]
FOLDERS = ('vtg', 'tools', 'configs', 'tests/helpers')
SCRIPT = re.compile(r'\btools/[\w/]+\.py')


def code(text: str) -> list[str]:
    """Indented lines, each with those it goes on in, and spans in backticks."""
    text = re.sub(r' *\\\n *', ' ', text)
    lines = [line.strip() for line in text.splitlines() if line.startswith('    ')]
    return [*lines, *re.findall(r'`([^`]+)`', re.sub(r'^ {4}.*$', '', text, flags=re.MULTILINE))]


def commands(text: str) -> list[tuple[str, str]]:
    """Every script that is named, and what stands behind it."""
    found = []
    for line in code(text):
        line = line.split(' #')[0]
        scripts = list(SCRIPT.finditer(line))
        ends = [match.start() for match in scripts[1:]] + [len(line)]
        found += [(m[0], line[m.end() : end]) for m, end in zip(scripts, ends)]
    return found


class Parser(Exception):
    """Carries the parser out of a script that would go on with the arguments."""


@cache
def options(script: str) -> set[str]:
    """The options of a script, those of its subcommands included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, 'parse_known_args', raise_parser)
        with pytest.raises(Parser) as raised:
            # A script finds the modules beside it, as when it is started by its name.
            patch.syspath_prepend(str((ROOT / script).parent))
            names = runpy.run_path(str(ROOT / script))
            names.get('parse_args', names['main'])()
    return names_of(raised.value.args[0])


def raise_parser(parser: argparse.ArgumentParser, *_args: object, **_kwargs: object) -> None:
    raise Parser(parser)


def names_of(parser: argparse.ArgumentParser) -> set[str]:
    names = set()
    for action in parser._actions:
        names |= set(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            names |= set().union(*map(names_of, action.choices.values()))
    return names


@pytest.mark.parametrize('page', PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_of_a_page_exist(page):
    for script, rest in commands(page.read_text(encoding='utf-8')):
        assert (ROOT / script).is_file(), script
        used = set(re.findall(r'(?<![\w-])--[a-z][\w-]*', rest))
        assert used <= options(script), f'{script} has no {", ".join(used - options(script))}'
        for config in re.findall(r'(?<![\w./])configs/[\w/]+\.py', rest):
            assert (ROOT / config).is_file(), config


@pytest.mark.parametrize('page', PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r'\]\(([^)#]+)(?:#[^)]*)?\)', page.read_text(encoding='utf-8')):
        assert target.startswith('http') or (page.parent / target).exists(), target


@cache
def source_words() -> set[str]:
    """Every word of the code."""
    files = (path for folder in FOLDERS for path in ROOT.glob(f'{folder}/**/*.py'))
    return {word for path in files for word in re.findall(r'\w+', path.read_text(encoding='utf-8'))}


@pytest.mark.parametrize('page', PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_classes_and_arguments_of_a_page_exist(page):
    text = page.read_text(encoding='utf-8')
    blocks = '\n'.join(line for line in text.splitlines() if line.startswith('    '))
    known = source_words() | {'MyCaptioner'} | set(re.findall(r'\w+', blocks))
    spans = ' '.join(re.findall(r'`([^`\n]+)`', text))
    named = re.findall(r'\b[A-Z][a-z]+[A-Z]\w*|(?<![-\w])[a-z_]\w*(?==)', spans)
    assert not set(named) - known


def test_what_is_looked_for_is_found():
    text = 'Run `tools/train.py --resume` or\n\n    python tools/a.py x \\\n     --b 1  # --c'
    assert commands(text) == [('tools/a.py', ' x --b 1 '), ('tools/train.py', ' --resume')]
    assert {'--resume', '--amp'} <= options('tools/train.py')
