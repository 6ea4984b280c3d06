# SPDX-License-Identifier: Apache-2.0
"""Soccer-GMR: a step, an answer and the metrics on real annotations with simulated features."""

from pathlib import Path

import pytest
import torch

from vtg.datasets import collate, rehearse
from vtg.engine import load_config
from vtg.registry import DATASETS, METRICS, MODELS
from vtg.reports.published import load_published
from vtg.utils.io import read_jsonl, write_jsonl

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.mark.parametrize('system', ['moment_detr', 'eatr', 'flashvtg'])
def test_a_step_and_the_metrics(system, shared, tmp_path):
    records = read_jsonl(shared / 'data/more/soccer_gmr_standard_val.jsonl.gz')
    assert (len(records), sum(not r['relevant_windows'] for r in records)) == (465, 210)
    null = [record for record in records if not record['relevant_windows']]
    some = [*null[:3], *[record for record in records if record['relevant_windows']][:3]]
    write_jsonl(tmp_path / 'a.jsonl', some)
    cfg = rehearse(load_config(CONFIGS / system / 'soccer_gmr.py'))
    cfg.model.defaults.update(dim=16, num_heads=4, hidden_dim=32)
    batches = []
    for split in ('train', 'val'):
        options = {**cfg[f'{split}_dataloader'].dataset, 'ann_file': str(tmp_path / 'a.jsonl')}
        dataset = DATASETS.build(options)
        batches.append(collate([dataset[index] for index in range(len(dataset))]))
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    inputs = model.data_preprocessor(batches[0], True)
    assert inputs['targets'].answerable.tolist() == [False] * 3 + [True] * 3
    losses = model(**inputs, mode='loss')
    assert all(value.isfinite() for value in losses.values()) and losses['loss_existence'] > 0

    model.eval()
    with torch.no_grad():
        predictions = model.test_step(batches[1])
    metric = METRICS.build(cfg.val_evaluator)
    metric.process(batches[1], predictions)
    values = metric.evaluate(len(some))
    assert len(metric.predictions) == len(some)
    assert all('pred_exist_score' in record for record in metric.predictions)
    # What the best epoch and the end of the training are chosen by, and what was published.
    assert cfg.default_hooks.checkpoint.save_best == 'GMR/mAP' in values
    published = load_published(CONFIGS / system / 'metafile.yml', 'Soccer-GMR')
    assert published and all(set(row.metrics) <= values.keys() for row in published)
