# SPDX-License-Identifier: Apache-2.0
"""What an evaluation leaves alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.visualization import LocalVisBackend

from vtg.apis.test import evaluation_runner, run_test
from vtg.apis.train import train
from vtg.engine import load_config
from vtg.engine.checkpoint import load_weights
from vtg.registry import MODELS, VISBACKENDS
from vtg.utils import ConfigError

HELPERS = Path(__file__).parents[1] / 'engine/helpers'


def test_curves_have_one_axis_and_one_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(HELPERS))
    opened, steps = [], {'train': [], 'val': []}

    class Board(LocalVisBackend):
        """Notes what a backend like TensorBoard's would write."""

        def _init_env(self):
            opened.append(self._save_dir)
            super()._init_env()

        def add_scalars(self, scalars, step=0, file_path=None, **kwargs):
            steps['val' if any(name.startswith('toy/') for name in scalars) else 'train'].append(
                step
            )

    monkeypatch.setitem(VISBACKENDS._module_dict, 'Board', Board)
    cfg = load_config(HELPERS / 'toy.py', {'visualizer.vis_backends': [{'type': 'Board'}]})
    cfg.work_dir, cfg.log_level = str(tmp_path / 'run'), 'WARNING'
    runner = train(cfg)
    evaluation_runner(cfg, 'val').test()
    assert len(opened) == 1
    # 4 steps in each of 3 epochs, logged every second one.
    assert steps == {'train': [2, 4, 6, 8, 10, 12], 'val': [4, 8, 12]}
    assert runner.best_checkpoint == str(tmp_path / 'run/best_score_epoch_3.pth')
    kept = load_config(tmp_path / 'run/toy.py')
    assert kept.train_dataloader == cfg.train_dataloader and 'val_dataloader' in kept


def test_tensorboard_has_one_axis_and_one_file(tmp_path):
    pytest.importorskip(
        'tensorboard', reason="needs tensorboard: pip install 'vtg-toolbox[optional]'"
    )
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    backends = [{'type': 'LocalVisBackend'}, {'type': 'TensorboardVisBackend'}]
    cfg = load_config(HELPERS / 'toy.py', {'visualizer.vis_backends': backends})
    cfg.work_dir, cfg.log_level = str(tmp_path / 'run'), 'WARNING'
    runner = train(cfg)
    evaluation_runner(cfg, 'val').test()
    runner.visualizer.close()
    (events,) = (tmp_path / 'run').rglob('events.out.tfevents.*')
    board = EventAccumulator(str(events))
    board.Reload()
    steps = {name: [event.step for event in board.Scalars(name)] for name in board.scalars.Keys()}
    assert {'loss', 'lr', 'toy/score'} <= set(steps)
    # 4 steps in each of 3 epochs, logged every second one, and a validation behind each.
    assert steps['loss'] == [2, 4, 6, 8, 10, 12] and steps['toy/score'] == [4, 8, 12]
    assert {step for every in steps.values() for step in every} <= set(range(2, 13, 2))


@pytest.fixture
def demo(tmp_path):
    """A demo config with few videos, and random weights for it."""
    cfg = load_config(
        HELPERS.parents[2] / 'configs/qd_detr/demo.py',
        {'val_dataloader.dataset.num_samples': 9, 'val_dataloader.num_workers': 0,
         'model.defaults.dim': 16},
    )  # fmt: skip
    cfg.work_dir, cfg.log_level = str(tmp_path / 'run'), 'WARNING'
    init_default_scope('vtg')
    torch.manual_seed(0)
    checkpoint = tmp_path / 'model.pth'
    torch.save({'state_dict': MODELS.build(cfg.model.to_dict()).state_dict()}, checkpoint)
    return cfg, checkpoint


def predictions(cfg, checkpoint):
    runner = evaluation_runner(cfg, 'val')
    load_weights(runner.bare_model, checkpoint)
    table = runner.test()
    return table, runner.test_evaluator.metrics[0].predictions


def test_queries_of_a_video_together_give_the_same_report(demo):
    cfg, checkpoint = demo
    grouped, ours = predictions(cfg, checkpoint)
    cfg.val_dataloader.batch_sampler = None
    single, theirs = predictions(cfg, checkpoint)
    assert grouped == pytest.approx(single, abs=1e-3, nan_ok=True)
    assert [record['qid'] for record in ours] == [record['qid'] for record in theirs]
    for one, other in zip(ours, theirs, strict=True):
        for name in ('pred_relevant_windows', 'pred_saliency_scores'):
            np.testing.assert_allclose(one[name], other[name], atol=2e-4)
    cfg.val_dataloader.batch_sampler = dict(type='LengthBatches', max_clips=60)
    _, by_length = predictions(cfg, checkpoint)
    assert [record['qid'] for record in by_length] == [record['qid'] for record in theirs]


def test_half_precision_is_compared(demo, capsys):
    run_test(*demo, 'val', amp='bf16', compare=True)
    assert 'difference' in capsys.readouterr().out
    with pytest.raises(ConfigError, match='--amp'):
        run_test(*demo, 'val', compare=True)


def test_every_metric_of_the_evaluator_is_reported(demo, capsys):
    """One that is registered and named in the config, without any list of names."""
    cfg, checkpoint = demo
    cfg.val_evaluator = [cfg.val_evaluator, dict(type='RecallMetric', prefix='NLQ'),
                         dict(type='GeneralizedRetrievalMetric')]  # fmt: skip
    report = run_test(cfg, checkpoint, 'val')
    assert {'MR-full-mAP', 'NLQ/R5@0.5', 'NLQ/mR1', 'GMR/Rej-F1', 'GMR/mR@5'} <= set(report.rows)
    assert {'MR-full-mAP', 'NLQ/mR1', 'GMR/AUROC'} <= set(report.headlines)
    assert report.columns[1] == 'reject every query'
    # Every query has a moment: to reject them all finds nothing.
    assert report.rows['GMR/Rej-F1'][:2] == (0, 0)
    assert 'GMR/G-mIoU@1' in capsys.readouterr().out
