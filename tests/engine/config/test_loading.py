# SPDX-License-Identifier: Apache-2.0
"""Configs are checked before anything is built."""

import importlib.util
from pathlib import Path

import pytest

from vtg.engine import load_config
from vtg.utils import ConfigError

ROOT = Path(__file__).resolve().parents[3]


def test_an_unknown_component_is_named_with_its_place(config):
    config.write_text(config.read_text() + "hooks = [dict(type='NanGardHook')]\n")
    with pytest.raises(ConfigError) as caught:
        load_config(config)
    assert "hooks.0.type is 'NanGardHook'" in str(caught.value)
    assert 'did you mean NanGuardHook' in str(caught.value)


def test_a_function_needs_its_scope(config):
    loader = "val_dataloader = dict(collate_fn=dict(type='collate'))\n"
    config.write_text(config.read_text() + loader)
    with pytest.raises(ConfigError, match=r"write 'vtg\.collate'"):
        load_config(config)
    config.write_text(config.read_text().replace("'collate'", "'vtg.collate'"))
    load_config(config)


def test_a_missing_package_is_named(config, monkeypatch):
    visualizer = "visualizer = dict(vis_backends=[dict(type='TensorboardVisBackend')])\n"
    config.write_text(config.read_text() + visualizer)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: None if name == 'tensorboard' else find(name)
    )
    with pytest.raises(ConfigError, match=r"pip install 'vtg-toolbox\[optional\]'"):
        load_config(config)


def test_every_base_file_loads():
    schedules = sorted((ROOT / 'configs/_base_/schedules').glob('*.py'))
    parts = {'optim_wrapper', 'train_cfg', 'param_scheduler'}
    assert schedules and all(parts & load_config(file).keys() for file in schedules)
    assert 'checkpoint' in load_config(ROOT / 'configs/_base_/default_runtime.py').default_hooks
