# SPDX-License-Identifier: Apache-2.0
"""Queries without a moment from training to a threshold that a checkpoint carries."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vtg.apis.answering import choose_answering
from vtg.apis.inference import Inferencer
from vtg.apis.predict import run_prediction
from vtg.datasets import SimulatedMoments
from vtg.engine import load_config
from vtg.engine.checkpoint import load_weights, read_checkpoint
from vtg.engine.runner import GroundingRunner
from vtg.registry import MODELS
from vtg.utils import CheckpointError, ConfigError, DataError, read_json_lines, write_jsonl

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
CONFIG = """
_base_ = ['{configs}/_base_/models/moment_detr.py',
          '{configs}/_base_/benchmarks/charades_simulated.py',
          '{configs}/_base_/schedules/adamw.py', '{configs}/_base_/default_runtime.py']
model = dict(defaults=dict(dim=16, num_heads=2, hidden_dim=16), auxiliary={auxiliary})
benchmark = dict(
    dataset=dict(
        _delete_=True, type='GroundingDataset', labels=dict(saliency=dict(type='AllWindows')),
        video=[dict(type='SimulatedVideo', dim=16)], text=[dict(type='SimulatedText', dim=16)]),
    splits=dict(_delete_=True, train=dict(ann_file='{data}'), val=dict(ann_file='{data}')),
    evaluator=dict(_delete_=True, type='GeneralizedRetrievalMetric'), video_dim=16, text_dim=16)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1, val_interval=1)
param_scheduler = []
default_hooks = dict(checkpoint=dict(save_best='GMR/mAP'))
report_after_training = False
work_dir = '{folder}'
"""
AUXILIARY = dict(existence=dict(type='ExistenceHead', source='queries', gate='soft'))


@pytest.fixture(scope='module')
def annotations(tmp_path_factory):
    """Queries of which a third has no moment."""
    made = SimulatedMoments(
        num_videos=6, moments=(0, 2), video_seconds=(8.0, 12.0, 20.0), clip_length=1.0,
        labels=dict(saliency=dict(type='AllWindows')),
    ).make_records()  # fmt: skip
    assert 0 < sum(not record['relevant_windows'] for record in made) < len(made)
    path = tmp_path_factory.mktemp('data') / 'queries.jsonl'
    write_jsonl(path, made)
    return path


@pytest.fixture(scope='module', params=['head', 'calibrated'])
def trained(request, annotations, tmp_path_factory):
    """A config, and the checkpoint of a run of an epoch."""
    folder = tmp_path_factory.mktemp(request.param)
    auxiliary = AUXILIARY if request.param == 'head' else None
    file = folder / 'config.py'
    file.write_text(
        CONFIG.format(configs=CONFIGS, data=annotations, folder=folder, auxiliary=auxiliary)
    )
    cfg = load_config(file)
    GroundingRunner.from_cfg(cfg.copy()).train()
    return cfg, folder / 'epoch_1.pth', request.param


def test_from_training_to_an_answer(trained, annotations, tmp_path):
    cfg, checkpoint, kind = trained
    queries = [record for _, record, _ in read_json_lines(annotations)]
    exists = np.array([bool(record['relevant_windows']) for record in queries])

    chosen = choose_answering(cfg, checkpoint, by='accuracy', out=tmp_path / 'chosen.pth')
    assert (chosen.queries, chosen.without) == (len(exists), (~exists).sum())
    assert (chosen.answering.slope is None) == (kind == 'head')
    assert chosen.reject_all == pytest.approx(100 * (~exists).mean())
    assert f'threshold {chosen.answering.threshold:.4f}' in str(chosen)

    # The checkpoint decides as was chosen, in the file and for a video in memory.
    run_prediction(cfg, tmp_path / 'chosen.pth', annotations, tmp_path / 'after.jsonl')
    after = [record for _, record, _ in read_json_lines(tmp_path / 'after.jsonl')]
    assert all(record['pred_relevant_windows'] for record in after)  # nothing is taken away
    scores = np.array([record['pred_exist_score'] for record in after])
    answered = np.array([record['pred_answered'] for record in after])
    assert (answered == (scores > chosen.answering.threshold)).all()
    assert 100 * (answered == exists).mean() == pytest.approx(chosen.value)
    inferencer = Inferencer(cfg, tmp_path / 'chosen.pth', device='cpu')
    result = inferencer(np.ones((9, 16), np.float32), 'x', [np.ones((3, 16), np.float32)])[0]
    assert result.answered == (result.existence > chosen.answering.threshold)

    # The weights are the same.
    for name, value in read_checkpoint(checkpoint)['state_dict'].items():
        assert torch.equal(read_checkpoint(tmp_path / 'chosen.pth')['state_dict'][name], value)


def test_what_cannot_be_chosen(trained, annotations, tmp_path):
    cfg, checkpoint, _ = trained
    with pytest.raises(ConfigError, match='not a checkpoint of this tool'):
        choose_answering(cfg, checkpoint, out=annotations)
    positive = tmp_path / 'positive.jsonl'
    records = [record for _, record, _ in read_json_lines(annotations)]
    write_jsonl(positive, [record for record in records if record['relevant_windows']])
    other = cfg.copy()
    other.val_dataloader.dataset.ann_file = str(positive)
    with pytest.raises(DataError, match='has a moment; choosing needs'):
        choose_answering(other, checkpoint, out=tmp_path / 'new.pth')
    assert not (tmp_path / 'new.pth').exists()
    broken = torch.load(checkpoint, weights_only=True)
    broken['meta']['answering'] = {'threshold': 'high'}
    torch.save(broken, tmp_path / 'broken.pth')
    with pytest.raises(CheckpointError, match=r'meta\.answering\.threshold'):
        load_weights(MODELS.build(cfg.model), tmp_path / 'broken.pth')
