# SPDX-License-Identifier: Apache-2.0
"""The listing of components."""

import runpy
import sys
from pathlib import Path

import pytest

from vtg.engine.components import list_components

ROOT = Path(__file__).resolve().parents[2]


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, 'argv', ['list_components.py', *arguments])
    with pytest.raises(SystemExit) as exit:
        runpy.run_path(str(ROOT / 'tools/list_components.py'), run_name='__main__')
    return exit.value.code, capsys.readouterr()


def test_every_component_has_a_description():
    listing = list_components()
    assert 'NanGuardHook' in listing['hook']
    missing = [
        f'{slot}: {name}'
        for slot, components in listing.items()
        for name, description in components.items()
        if not description and not name.lower().startswith('toy')
    ]
    assert missing == []


def test_one_slot(monkeypatch, capsys):
    status, printed = run(monkeypatch, capsys, 'hook')
    assert (
        status == 0 and 'EpochEMAHook' in printed.out and 'GroundingOptimWrapper' not in printed.out
    )


def test_an_unknown_slot(monkeypatch, capsys):
    status, printed = run(monkeypatch, capsys, 'hok')
    assert status == 1 and 'hook' in printed.err
