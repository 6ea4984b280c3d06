# SPDX-License-Identifier: Apache-2.0
"""What an evaluation leaves alone."""

from pathlib import Path

import pytest
from mmengine.visualization import LocalVisBackend

from vtg.apis.test import evaluation_runner
from vtg.apis.train import train
from vtg.engine import load_config
from vtg.registry import VISBACKENDS

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
    pytest.importorskip('tensorboard', reason="needs tensorboard: pip install 'vtg[optional]'")
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
