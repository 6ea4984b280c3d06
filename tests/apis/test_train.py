# SPDX-License-Identifier: Apache-2.0
"""What training says before it starts."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from vtg.apis import train
from vtg.datasets import keep_first
from vtg.engine import load_config
from vtg.registry import DATASETS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


def test_advice_about_the_stores_of_the_training_is_logged(monkeypatch):
    seen, lines = [], []

    def advice(stores):
        seen.extend(stores)
        return ['pack them']

    monkeypatch.setattr(train, 'packing_advice', advice)
    monkeypatch.setattr(train, 'print_log', lambda text, logger: lines.append((text, logger)))
    train.advise(load_config(CONFIGS / 'qd_detr' / 'qvhl.py'))
    assert [type(store).__name__ for store in seen] == ['FolderStore'] * 3
    assert lines == [('pack them', 'current')]


@pytest.mark.parametrize('dataset', [None, SimpleNamespace()])
def test_data_without_stores_get_no_advice(dataset, monkeypatch):
    lines = []
    monkeypatch.setattr(train, '_files_of', lambda cfg, split: dataset)
    monkeypatch.setattr(train, 'print_log', lambda text, logger: lines.append(text))
    train.advise(None)
    assert lines == []


def test_the_first_samples_of_every_split():
    cfg = train.configure(load_config(CONFIGS / 'qd_detr/demo.py'), 'x', limit=5)
    assert cfg.benchmark.name == 'simulated data, 5 samples'
    for name in ('train', 'val', 'test'):
        assert len(DATASETS.build(cfg[f'{name}_dataloader'].dataset)) == 5
    cfg = load_config(CONFIGS / 'qd_detr/demo.py')
    part = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(type='ConcatDataset', datasets=[part, part])
    keep_first(cfg, 3)
    assert len(DATASETS.build(cfg.train_dataloader.dataset)) == 6


def test_simulated_features_by_an_option():
    cfg = train.configure(load_config(CONFIGS / 'qd_detr/qvhl.py'), 'x', rehearsal=True)
    assert {store.type for store in cfg.val_dataloader.dataset.video} == {'SimulatedVideo'}
