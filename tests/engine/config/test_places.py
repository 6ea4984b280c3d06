# SPDX-License-Identifier: Apache-2.0
"""A key that the config lacks is answered with what was meant."""

from pathlib import Path

import pytest

from vtg.engine import load_config
from vtg.utils import ConfigError

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ('option', 'hint'),
    [
        ('model.haed.dim=1', 'model.head'),
        ('modle.head.dim=1', 'model'),
        ('model.head.dims=1', 'model.head.dim'),
        ('model.layers.7.dim=1', '0, 1'),
        ('optim_wrapper.optimizer.lr.x=1', 'is 0.0001'),
    ],
)
def test_a_misspelled_key_is_refused(config, option, hint):
    with pytest.raises(ConfigError, match='the config has no') as caught:
        load_config(config, [option])
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ('option', 'meant'),
    [
        ('lr=1e-3', 'optim_wrapper.optimizer.lr'),
        ('epochs=3', 'train_cfg.max_epochs'),
        ('max_epochs=3', 'train_cfg.max_epochs'),
        ('batch_size=3', 'train_dataloader.batch_size'),
        ('seed=3', 'randomness.seed'),
        ('+lr=1e-3', 'optim_wrapper.optimizer.lr'),
    ],
)
def test_a_short_name_is_answered_with_the_place(option, meant):
    with pytest.raises(ConfigError) as caught:
        load_config(ROOT / 'configs/qd_detr/demo.py', [option])
    assert f'did you mean {meant}' in str(caught.value)
