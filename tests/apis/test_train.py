# SPDX-License-Identifier: Apache-2.0
"""What training says before it starts."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from vtg.apis import train
from vtg.engine import load_config

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
def test_data_without_stores(dataset, monkeypatch):
    monkeypatch.setattr(train, '_files_of', lambda cfg, split: dataset)
    train.advise(None)
