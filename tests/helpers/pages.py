# SPDX-License-Identifier: Apache-2.0
"""Following a page of ``docs`` literally.

Indented blocks are files (the first line is ``# name.py``), commands (``python ...``, with their
output behind a blank line or in the next block) and settings of the shell (``export NAME=VALUE``).
"""

import os
import re
import runpy
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from programs import fork_trainings, run_program

ROOT = Path(__file__).resolve().parents[2]


def blocks(page: Path, changes: Mapping[str, str] | None = None) -> list[str]:
    """The indented blocks of a page, in order.

    Args:
        page: The file.
        changes: Texts of the page and what stands for them, to make trainings shorter.
    """
    text = page.read_text(encoding='utf-8')
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new)
    found: list[str] = []
    current: list[str] = []
    for line in [*text.splitlines(), 'end']:
        if line.startswith('    ') or (current and not line):
            current.append(line[4:])
        elif current:
            found.append('\n'.join(current).strip('\n'))
            current = []
    return [part for block in found for part in _files(block)]


def _files(block: str) -> list[str]:
    """A command is apart from the output behind it, and so is a file from a command."""
    parts: list[str] = []
    for part in re.split(r'\n\n+(?=python )', block):
        parts += part.split('\n\n') if part.startswith('python ') else [part]
    return parts


class Follower:
    """Does what a page says, in the current folder.

    Args:
        exact: Tools whose output is compared to the digit; in others any number will do.
        here: Test files run in this process, without pytest; their tests take no fixtures.

    Attributes:
        commands: The scripts that have run.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture,
        exact: tuple[str, ...] = (),
        here: bool = False,
    ) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        self.exact = exact
        self.here = here
        self.commands: list[str] = []
        fork_trainings(monkeypatch)

    def follow(self, page_blocks: list[str]) -> None:
        """Write the files, run the commands, and find every line of their output."""
        output, exact = '', True
        for block in page_blocks:
            file = re.match(r'# (\w+\.py)\n', block)
            if file:
                Path(file[1]).write_text(block + '\n', encoding='utf-8')
            elif block.startswith('export '):
                self._export(block.removeprefix('export '))
            elif block.startswith('python '):
                words = shlex.split(block.replace('\\\n', ' '))[1:]
                output = self._module(words) if words[0] == '-m' else self._script(words)
                exact = any(name in block for name in self.exact)
                self.commands.append(words[1] if words[0] == '-m' else words[0])
            elif self.commands:
                printed = {same(line, exact) for line in output.splitlines()}
                for line in block.splitlines():
                    if not line.startswith('+'):
                        assert same(line, exact) in printed, f'{line!r} is not in\n{output}'

    def _export(self, setting: str) -> None:
        name, _, value = setting.partition('=')
        if name == 'PYTHONPATH':
            self.monkeypatch.syspath_prepend(Path(value).resolve())
            value = os.pathsep.join((value, str(ROOT)))
        self.monkeypatch.setenv(name, value)

    def _script(self, words: list[str]) -> str:
        """In this process: starting another one takes longer."""
        self.monkeypatch.setattr(sys, 'argv', words)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(words[0], run_name='__main__')
        output = self.capsys.readouterr()
        assert ended.value.code == 0, f'{words}\n{output.out}\n{output.err}'
        return output.out

    def _module(self, words: list[str]) -> str:
        if self.here:
            assert words[:2] == ['-m', 'pytest'], words
            files = map(str, sorted(Path().glob('test_*.py')))
            names = {f'{file}:{n}': f for file in files for n, f in runpy.run_path(file).items()}
            tests = [test for name, test in names.items() if ':test_' in name]
            for test in tests:
                test()
            return f'{len(tests)} passed'
        ended = run_program([sys.executable, *words])
        assert ended.returncode == 0, f'{words}\n{ended.stdout}\n{ended.stderr}'
        # The summary of pytest stands between rules and goes on with warnings and seconds.
        return re.sub(r'^=* ?(\d+ passed).*', r'\1', ended.stdout, flags=re.MULTILINE)


def same(line: str, exact: bool) -> str:
    """A line to compare: single blanks, and any number in place of those of a trained model."""
    line = ' '.join(line.split())
    return line if exact else re.sub(r'-?\d+(\.\d+)?', 'N', line)
