# SPDX-License-Identifier: Apache-2.0
"""A killed run of SG-DETR goes on exactly, with dropout, averaged weights and loader workers."""

import importlib.util
from pathlib import Path

import pytest

ENGINE = Path(__file__).parent / 'engine'
CONFIG = Path(__file__).resolve().parents[1] / 'configs/sgdetr/demo.py'
OPTIONS = [
    'model.defaults.dim=16',
    'model.defaults.hidden_dim=32',
    'model.defaults.dropout=0.1',
    'model.defaults.drop_path=0.2',
    'train_dataloader.dataset.num_samples=24',
    'train_dataloader.batch_size=4',
    'train_dataloader.num_workers=2',
    '+train_dataloader.persistent_workers=True',
    '+train_dataloader.dataset.features.txt_drop_ratio=0.3',
    '+train_dataloader.dataset.labels.max_windows=1',
    'val_dataloader.dataset.num_samples=4',
    'train_cfg.max_epochs=2',
    'train_cfg.val_interval=1',
    'param_scheduler.0.end=1',
    'param_scheduler.1.milestones=[1]',
    '+default_hooks.ema={"type": "EMAHook", "momentum": 0.1, "strict_load": true}',
]


def load(name):
    spec = importlib.util.spec_from_file_location(f'engine_{name}', ENGINE / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def spawn(tmp_path):
    """The engine tests' way to start a run in a process of its own."""
    return load('conftest').spawn.__wrapped__(tmp_path)


def test_killed_in_the_second_epoch(spawn, tmp_path):
    # Six steps per epoch: killed after the eighth, resumed from the end of the first epoch.
    load('test_resume').assert_resume_is_exact(spawn, CONFIG, tmp_path, 8, 'epoch_2.pth', OPTIONS)
