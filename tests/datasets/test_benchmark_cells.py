# SPDX-License-Identifier: Apache-2.0
"""Every system on Charades-STA, TACoS, TVSum and YouTube Highlights: real annotations, simulated
features, one training step and an evaluation."""

from pathlib import Path

import pytest
import torch

from vtg.datasets import collate, rehearse
from vtg.engine import load_config
from vtg.registry import DATASETS, METRICS, MODELS
from vtg.reports.published import load_published

ROOT = Path(__file__).parents[2] / 'configs'
DATA = ('charades', 'tacos', 'tvsum', 'youtube')
# Other splits of the same data; tests/configs/test_more_benchmarks.py trains on them.
MORE = ('charades_cd', 'charades_cg', 'charades_na', 'charades_rf')
# Fine-tuning has the data and the losses of the config it inherits from.
FILES = sorted(
    path
    for path in ROOT.glob('*/*.py')
    if path.stem.split('_')[0] in DATA
    and not path.stem.startswith(MORE)
    and not path.stem.endswith(('_pt', '_finetune', '_demo', '_rehearsal'))
)
# Data of tests/configs/test_more_benchmarks.py that have published numbers.
FURTHER = {
    *(f'ActivityNet Captions ({split})' for split in ('val_1', 'val_2')),
    'ActivityNet-RF',
    'Charades-STA-RF',
    'Ego4D-NLQ',
    'Soccer-GMR',
}
SYSTEMS = sorted({path.parent for path in FILES})


def name(path):
    return f'{path.parent.name}/{path.stem}'


def batch_of(cfg, split, shared, first_records):
    dataset = cfg[f'{split}_dataloader'].dataset
    dataset = DATASETS.build({**dataset, 'ann_file': first_records(shared / dataset.ann_file)})
    return collate([dataset[index] for index in range(min(2, len(dataset)))])


@pytest.mark.parametrize('path', FILES, ids=name)
def test_a_step_on_real_annotations(path, shared, first_records):
    cfg = rehearse(load_config(path))
    cfg.model.defaults.update(dim=16, num_heads=4, hidden_dim=32)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    train = batch_of(cfg, 'train', shared, first_records)
    losses = model(**model.data_preprocessor(train, True), mode='loss')
    total = sum(value for key, value in losses.items() if 'loss' in key)
    total.backward()
    assert total.isfinite()
    assert any(p.grad.abs().sum() > 0 for p in model.video_projector.parameters())
    if 'domains' in cfg.benchmark:
        assert train['targets']['spans'].shape[1] == 0

    model.eval()
    test = batch_of(cfg, 'test', shared, first_records)
    with torch.no_grad():
        predictions = model.test_step(test)
    metric = METRICS.build(cfg.test_evaluator)
    metric.process(test, predictions)
    metrics = metric.evaluate(len(predictions[0]))
    wanted = cfg.default_hooks.checkpoint.save_best
    keys = [key for key in metrics if key.partition('/')[2] == wanted]
    assert len(keys) == 1 and 0 <= metrics[keys[0]] <= 100


@pytest.mark.parametrize('folder', SYSTEMS, ids=lambda folder: folder.name)
def test_published_rows_have_the_names_of_the_data(folder):
    """Domains of the configs, or metrics of the evaluator."""
    configs = [load_config(path) for path in FILES if path.parent == folder]
    facts = [cfg.benchmark for cfg in configs]
    domains = {item.name: set(item.domains) for item in facts if 'domains' in item}
    retrieval = {item.name for item in facts if 'domains' not in item}
    for row in load_published(folder / 'metafile.yml'):
        if row.dataset in retrieval:
            assert row.split == 'test'
            known = {'MR-full-mIoU', 'MR-full-mAP'} | {f'MR-full-R1@{t}' for t in (0.3, 0.5, 0.7)}
            known |= {f'MR-full-mAP@{t}' for t in (0.5, 0.75)}
            assert set(row.metrics) <= known
        elif row.dataset in domains:
            assert row.split == 'val' and 'average' in row.metrics
            assert set(row.metrics) - {'average'} in (set(), domains[row.dataset])
        else:
            assert row.dataset == 'QVHighlights' or row.dataset in FURTHER
