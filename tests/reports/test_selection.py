# SPDX-License-Identifier: Apache-2.0
"""The sentence about how a checkpoint was chosen."""

from pathlib import Path

import pytest

from vtg.engine import load_config
from vtg.reports.selection import selection_rule

BASES = Path(__file__).parents[2] / 'configs' / '_base_' / 'benchmarks'


def config(name, save_best='HL-mAP', interval=5):
    cfg = load_config(BASES / f'{name}.py')
    cfg.train_cfg = dict(max_epochs=40, val_interval=interval)
    cfg.default_hooks = dict(checkpoint=dict(save_best=save_best))
    return cfg


@pytest.mark.parametrize(
    ('name', 'split', 'ending'),
    [
        ('tvsum_i3d', 'test', ', which is the reported split'),
        ('tvsum_simulated', 'test', ''),
        ('tvsum_simulated', 'val', ', which is the reported split'),
        ('tacos_slowfast_clip', 'test', ''),
    ],
)
def test_best_epoch(name, split, ending):
    rule = selection_rule(config(name), 'runs/best_HL-mAP_epoch_35.pth', split)
    assert rule == f'epoch 35: best HL-mAP on val every 5 epochs{ending}'


def test_last_and_other_epochs():
    cfg = config('tvsum_i3d')
    assert selection_rule(cfg, 'runs/epoch_40.pth', 'test') == 'epoch 40: the last one'
    assert selection_rule(cfg, 'runs/epoch_20.pth', 'test') == 'epoch 20: as given'
    assert selection_rule(cfg, 'model.pth', 'test') == 'weights as given'


@pytest.mark.parametrize(
    ('epochs', 'number', 'rule'),
    [
        (1, 1, 'epoch 1: the only one'),
        (3, 3, 'epoch 3: the only one validated'),
        (12, 12, 'epoch 12: best HL-mAP on val every 5 epochs and after the last'),
        (10, 5, 'epoch 5: best HL-mAP on val every 5 epochs'),
    ],
)
def test_short_runs(epochs, number, rule):
    cfg = config('tvsum_simulated')
    cfg.train_cfg.max_epochs = epochs
    assert selection_rule(cfg, f'best_HL-mAP_epoch_{number}.pth', 'test') == rule


def test_means_name_their_parts():
    cfg = config('charades_slowfast_clip', 'moments/selection', interval=1)
    rule = selection_rule(cfg, 'best_selection_epoch_3.pth', 'val')
    assert 'best mean of MR-full-R1@0.5, MR-full-R1@0.7 on val every epoch' in rule
    cfg.val_evaluator.selection = {'MR-full-R1@0.5': 0.5, 'MR-full-mIoU': 1.0}
    rule = selection_rule(cfg, 'best_selection_epoch_3.pth', 'val')
    assert 'mean of MR-full-R1@0.5 (0.5), MR-full-mIoU (1)' in rule
