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


def meta(epoch, best_by=None, max_epochs=40):
    """What a checkpoint says of itself."""
    return {'epoch': epoch, 'max_epochs': max_epochs, **({'best_by': best_by} if best_by else {})}


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
    rule = selection_rule(config(name), meta(35, 'HL-mAP'), split)
    assert rule == f'epoch 35: best HL-mAP on val every 5 epochs{ending}'


def test_last_and_other_epochs():
    cfg = config('tvsum_i3d')
    assert selection_rule(cfg, meta(40), 'test') == 'epoch 40: the last one'
    assert selection_rule(cfg, meta(20), 'test') == 'epoch 20: as given'
    bare = 'weights as given (the file does not say of which epoch)'
    assert selection_rule(cfg, {}, 'test') == bare


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
    assert selection_rule(cfg, meta(number, 'HL-mAP', epochs), 'test') == rule


def test_means_name_their_parts():
    cfg = config('charades_slowfast_clip', 'moments/selection', interval=1)
    rule = selection_rule(cfg, meta(3, 'moments/selection'), 'val')
    assert 'best mean of MR-full-R1@0.5, MR-full-R1@0.7 on val every epoch' in rule
    cfg.val_evaluator.selection = {'MR-full-R1@0.5': 0.5, 'MR-full-mIoU': 1.0}
    rule = selection_rule(cfg, meta(3, 'moments/selection'), 'val')
    assert 'mean of MR-full-R1@0.5 (0.5), MR-full-mIoU (1)' in rule
