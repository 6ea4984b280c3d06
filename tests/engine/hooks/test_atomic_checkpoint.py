# SPDX-License-Identifier: Apache-2.0
"""Regular and best checkpoints."""

import shutil
from pathlib import Path

import mmengine.runner.runner as mmengine_runner
import pytest

from vtg.engine import read_checkpoint
from vtg.registry import METRICS
from vtg.structures import Quantity
from vtg.utils import CheckpointError, ConfigError


def names(folder):
    return sorted(path.name for path in Path(folder).glob('*.pth'))


def test_keeps_the_last_two_and_the_best(toy_train, tmp_path):
    runner = toy_train()
    assert names(tmp_path / 'run') == ['best_score_epoch_3.pth', 'epoch_2.pth', 'epoch_3.pth']
    assert Path(runner.best_checkpoint).name == 'best_score_epoch_3.pth'
    assert not list((tmp_path / 'run').glob('.*.pth*'))


def test_the_best_says_by_what_and_of_which_epoch(toy_train, tmp_path):
    toy_train()
    facts = {
        name: {key: read_checkpoint(tmp_path / 'run' / name)['meta'].get(key)
               for key in ('epoch', 'max_epochs', 'best_by')}
        for name in names(tmp_path / 'run')
    }  # fmt: skip
    assert facts == {
        'best_score_epoch_3.pth': {'epoch': 3, 'max_epochs': 3, 'best_by': 'score'},
        'epoch_2.pth': {'epoch': 2, 'max_epochs': 3, 'best_by': None},
        'epoch_3.pth': {'epoch': 3, 'max_epochs': 3, 'best_by': None},
    }


@pytest.mark.parametrize('keep', [1, 2])
def test_a_failed_write_leaves_the_earlier_files(toy_train, tmp_path, monkeypatch, keep):
    save, calls = mmengine_runner.save_checkpoint, []

    def failing(checkpoint, path, **kwargs):
        calls.append(path)
        if len(calls) == 4:  # epoch 1, best, epoch 1 again, then epoch 2
            Path(path).write_bytes(b'half a file')
            raise OSError(28, 'disk full')
        save(checkpoint, path, **kwargs)

    monkeypatch.setattr(mmengine_runner, 'save_checkpoint', failing)
    with pytest.raises(CheckpointError, match=r'epoch_2\.pth cannot be written \(disk full\)'):
        toy_train({'default_hooks.checkpoint.max_keep_ckpts': keep})
    assert names(tmp_path / 'run') == ['best_score_epoch_1.pth', 'epoch_1.pth']
    assert not list((tmp_path / 'run').glob('.*.pth*'))
    monkeypatch.undo()
    read_checkpoint(tmp_path / 'run/epoch_1.pth')


def test_a_copied_folder_resumes_on_its_own(toy_config, toy_train, tmp_path):
    toy_train()
    shutil.copytree(tmp_path / 'run', tmp_path / 'copy')
    shutil.copy(tmp_path / 'copy/epoch_2.pth', tmp_path / 'copy/epoch_3.pth')
    (tmp_path / 'copy/.epoch_3.pth.leftover').touch()
    original = names(tmp_path / 'run')
    toy_train({'resume': 'auto'}, 'copy')
    assert names(tmp_path / 'run') == original
    assert not list((tmp_path / 'copy').glob('.*.pth*'))


def test_an_unknown_metric_is_named(toy_train):
    with pytest.raises(ConfigError, match=r"save_best names 'scor', .*choose toy/score"):
        toy_train({'default_hooks.checkpoint.save_best': 'scor'})


def test_a_metric_without_a_value_is_never_the_best(toy_train, tmp_path, monkeypatch):
    """Moments of a length that no query has are NaN in every epoch, or in some."""
    values = iter([float('nan'), 3.0, float('nan')])
    compute = METRICS.get('ToyMetric').compute_metrics

    def without_value(self, results):
        return compute(self, results) | {'score': next(values)}

    monkeypatch.setattr(METRICS.get('ToyMetric'), 'compute_metrics', without_value)
    runner = toy_train()
    assert Path(runner.best_checkpoint).name == 'best_score_epoch_2.pth'
    assert [name for name in names(tmp_path / 'run') if 'best' in name] == [
        'best_score_epoch_2.pth'
    ]


def test_a_metric_says_that_lower_is_better(toy_train, tmp_path, monkeypatch):
    lower = (Quantity('score', higher=False),)
    monkeypatch.setattr(METRICS.get('ToyMetric'), 'quantities', lower, raising=False)
    toy_train()
    assert 'best_score_epoch_1.pth' in names(tmp_path / 'run')
