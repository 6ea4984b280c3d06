# SPDX-License-Identifier: Apache-2.0
"""Running a tool as its user does."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Ended(NamedTuple):
    status: int
    output: str
    errors: str


@pytest.fixture
def run_tool(monkeypatch, capsys) -> Callable[..., Ended]:
    """``run_tool('train.py', ...)`` in this process: starting another one takes longer."""

    def run(tool: str, *arguments: object) -> Ended:
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')
        return Ended(end.value.code or 0, *capsys.readouterr())

    return run
