# SPDX-License-Identifier: Apache-2.0
"""``vtg COMMAND``: finding moments in own videos, and every script of ``tools/`` by its name."""

import ast
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

from vtg.utils import did_you_mean, run_main, shipped
from vtg.version import __version__

from . import find, index, serve

OWN: dict[str, Callable[[], int | None]] = {
    'find': find.main,
    'index': index.main,
    'serve': serve.main,
}
# Short names of scripts.
SHORT = {
    'convert': 'convert-checkpoint',
    'extract': 'extract-features',
    'pack': 'pack-features',
    'validate': 'validate-dataset',
    'components': 'list-components',
    'config': 'print-config',
    'eval': 'eval-predictions',
}


def scripts() -> dict[str, Path]:
    """The scripts by the names of their commands."""
    files = sorted(shipped('tools').glob('*.py'))
    return {file.stem.replace('_', '-'): file for file in files if file.stem != '__init__'}


def overview() -> str:
    """What ``vtg`` alone prints."""
    short = {full: name for name, full in SHORT.items()}
    rows = {name: (function.__module__, '') for name, function in OWN.items()}
    lines = ['usage: vtg COMMAND ...', '', 'Your own videos, without config and checkpoint:']
    for name in rows:
        lines.append(f'  {name:<28}{_first_line((sys.modules[rows[name][0]].__doc__) or "")}')
    lines += ['', 'Training, evaluation and data (the scripts of tools/):']
    for name, file in scripts().items():
        shown = f'{short[name]}, {name}' if name in short else name
        document = ast.get_docstring(ast.parse(file.read_text(encoding='utf-8'))) or ''
        lines.append(f'  {shown:<28}{_first_line(document)}')
    lines += ['', 'vtg COMMAND --help tells more; configs are found by name: vtg train sgdetr/demo']
    return '\n'.join(lines)


def _first_line(document: str) -> str:
    return document.strip().splitlines()[0] if document.strip() else ''


def main() -> None:
    """Run a command and end the program."""
    words = sys.argv[1:]
    name = words[0] if words else ''
    if name in ('', '-h', '--help', 'help'):
        print(overview())
        sys.exit(0 if words else 2)
    if name in ('-V', '--version'):
        print(f'vtg {__version__}')
        sys.exit(0)
    full, known = SHORT.get(name, name), scripts()
    if full not in known and full not in OWN:
        hint = did_you_mean(name, [*OWN, *known, *SHORT], 1) or 'vtg --help lists the commands.'
        print(f'error: vtg has no command {name!r}; {hint}', file=sys.stderr)
        sys.exit(2)
    # argparse takes the name of the program from here.
    sys.argv = [f'vtg {name}', *words[1:]]
    if full in OWN:
        run_main(OWN[full])
    # A script finds the modules beside it, as when it is started by its name.
    sys.path.insert(0, str(known[full].parent))
    runpy.run_path(str(known[full]), run_name='__main__')
