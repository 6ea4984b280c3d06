# SPDX-License-Identifier: Apache-2.0
"""Printing of configs."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/_base_/schedules/adamw_160e.py'


def run(monkeypatch, capsys, *arguments):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, 'argv', ['print_config.py', *map(str, arguments)])
    with pytest.raises(SystemExit) as exit:
        runpy.run_path(str(ROOT / 'tools/print_config.py'), run_name='__main__')
    return exit.value.code, capsys.readouterr()


def test_prints_what_is_inherited(monkeypatch, capsys):
    status, printed = run(monkeypatch, capsys, CONFIG)
    assert status == 0 and 'max_epochs=160' in printed.out and "type='AdamW'" in printed.out


def test_origin(monkeypatch, capsys):
    options = ('--cfg-options', 'optim_wrapper.optimizer.lr=0.1')
    _, printed = run(monkeypatch, capsys, CONFIG, '--origin', *options)
    lines = printed.out.splitlines()
    assert 'train_cfg.max_epochs = 160  # configs/_base_/schedules/adamw_160e.py' in lines
    assert "optim_wrapper.optimizer.type = 'AdamW'  # configs/_base_/schedules/adamw.py" in lines
    assert 'optim_wrapper.optimizer.lr = 0.1  # --cfg-options' in lines


def test_unknown_file(monkeypatch, capsys):
    status, printed = run(monkeypatch, capsys, 'configs/_base_/schedules/adamw_160.py')
    assert status == 1 and 'adamw_160e.py' in printed.err
