# SPDX-License-Identifier: Apache-2.0
"""Printing of configs."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/_base_/schedules/adamw_160e.py'


def test_prints_what_is_inherited(run_tool, monkeypatch):
    monkeypatch.chdir(ROOT)
    status, output, _ = run_tool('print_config.py', CONFIG)
    assert status == 0 and 'max_epochs=160' in output and "type='AdamW'" in output


def test_origin(run_tool, monkeypatch):
    monkeypatch.chdir(ROOT)
    options = ('--cfg-options', 'optim_wrapper.optimizer.lr=0.1')
    _, output, _ = run_tool('print_config.py', CONFIG, '--origin', *options)
    lines = output.splitlines()
    assert 'train_cfg.max_epochs = 160  # configs/_base_/schedules/adamw_160e.py' in lines
    assert "optim_wrapper.optimizer.type = 'AdamW'  # configs/_base_/schedules/adamw.py" in lines
    assert 'optim_wrapper.optimizer.lr = 0.1  # --cfg-options' in lines


def test_unknown_file(run_tool, monkeypatch):
    monkeypatch.chdir(ROOT)
    status, _, errors = run_tool('print_config.py', 'configs/_base_/schedules/adamw_160.py')
    assert status == 1 and 'adamw_160e.py' in errors
