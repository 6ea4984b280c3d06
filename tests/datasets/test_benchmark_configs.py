# SPDX-License-Identifier: Apache-2.0
"""Charades-STA, TACoS, TVSum and YouTube Highlights: real annotations, simulated features."""

import copy
import functools
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from mmengine.config import Config

from vtg.datasets import collate, rehearse
from vtg.engine import load_config
from vtg.registry import DATASETS, METRICS, MODELS
from vtg.utils import DataError, read_json

BASES = Path(__file__).parents[2] / 'configs' / '_base_' / 'benchmarks'
# Records of train, val and test; HD data: of all domains together.
COUNTS = {
    'charades': (12404, 3720, 3720),
    'tacos': (9790, 4436, 4001),
    'tvsum': (40, 10, 10),
    'youtube': (233, 152, 152),
}
NAMES = sorted(
    path.stem
    for path in BASES.glob('*.py')
    if path.stem.split('_')[0] in COUNTS
    and path.stem not in COUNTS
    # Other splits of these data; tests/configs/test_more_benchmarks.py trains on them.
    and not path.stem.startswith(('charades_cd', 'charades_cg', 'charades_rf'))
    # The layers of a network need a projector of their own; test_benchmark_cells.py takes a step.
    and not path.stem.endswith(('simulated', 'layers'))
)
SIMULATED = ['charades_simulated', 'tacos_simulated', 'tvsum_simulated', 'youtube_simulated']


@functools.cache  # read-only: every domain and split of a benchmark asks for it again
def load(name):
    return load_config(BASES / f'{name}.py')


@functools.cache
def rehearsal(name):
    return rehearse(load(name))


def build(name, split, shared, **changes):
    cfg = copy.deepcopy(rehearsal(name)[f'{split}_dataloader'].dataset)
    return DATASETS.build({**cfg, 'data_root': str(shared), **changes})


def read(name, split, shared, **changes):
    """The number of records, and what is logged while a dataset loads."""
    lines = []
    with mock.patch('vtg.datasets.grounding.print_log', lambda text, *_, **__: lines.append(text)):
        dataset = build(name, split, shared, **changes)
    return len(dataset), ' '.join(lines)


# Read-only: the longest files are asked for their records and for their problems.
read_once = functools.cache(read)


def first_samples(dataset):
    return [dataset[index] for index in range(min(3, len(dataset)))]


def train_and_evaluate(cfg, training, testing):
    """One step of a small QD-DETR, without moment head where nothing is retrieved."""
    model = Config.fromfile(str(BASES.parent / 'models' / 'qd_detr.py')).model
    model.defaults.update(dim=16, num_heads=4, hidden_dim=32)
    model.video_projector.in_dim = training['video'].shape[2]
    model.text_projector.in_dim = training['text'].shape[2]
    if 'domains' in cfg.benchmark:
        model.moment_head = None
    model = MODELS.build(model)
    losses = model(**model.data_preprocessor(training, True), mode='loss')
    total = sum(value for key, value in losses.items() if 'loss' in key)
    total.backward()
    assert total.isfinite()
    assert any(p.grad.abs().sum() > 0 for p in model.video_projector.parameters())
    model.eval()
    with torch.no_grad():
        predictions = model.test_step(testing)
    metric = METRICS.build(cfg.test_evaluator)
    metric.process(testing, predictions)
    return metric.evaluate(len(predictions[0]))


@pytest.mark.parametrize('name', NAMES)
def test_a_step_on_real_annotations(name, shared, first_records):
    cfg = rehearsal(name)
    highlights_only = 'domains' in cfg.benchmark
    assert cfg.benchmark.name.endswith('with simulated features')
    batches = []
    for split in ('train', 'test'):
        file = first_records(shared / cfg[f'{split}_dataloader'].dataset.ann_file)
        samples = first_samples(build(name, split, shared, ann_file=file))
        widths = sum(store['dim'] for store in load(name)[f'{split}_dataloader'].dataset.video)
        # A pair per store group that is joined; a stream of its own has none in the video.
        positions = 4 if name.endswith('audio') and 'audio' not in cfg.benchmark else 2
        assert samples[0]['video'].shape[-1] == widths + positions
        batch = collate(samples)
        batches.append(batch)
        targets = batch['targets']
        assert targets['spans'].shape == (len(samples), 0 if highlights_only else 1, 2)
        assert targets['span_mask'].shape == targets['spans'].shape[:2]
        assert targets['saliency'].shape == batch['video_mask'].shape
        assert targets['relevant'].any(1).all()
        assert not (targets['saliency'] * ~batch['video_mask']).any()
        assert targets['pos_clips'].shape == (len(samples), 1 if highlights_only else 2)
    metrics = train_and_evaluate(cfg, *batches)
    key = 'highlights/HL-mAP' if highlights_only else 'moments/selection'
    assert 0 <= metrics[key] <= 100


@pytest.mark.parametrize('name', ['charades_slowfast_clip', 'tacos_slowfast_clip'])
def test_all_records_load(name, shared):
    for split, count in zip(('train', 'val', 'test'), COUNTS[name.split('_')[0]]):
        assert read_once(name, split, shared)[0] == count


@pytest.mark.parametrize('name', ['tvsum_i3d', 'youtube_slowfast_clip'])
def test_domains_are_those_of_the_published_splits(name, shared):
    folder = load(name).train_dataloader.dataset.ann_file.split('/')[1]
    splits = read_json(shared / 'data' / folder / f'{name.split("_")[0]}_splits.json')
    domains = load(name).benchmark.domains
    assert set(domains) == set(splits)
    totals = []
    for split in ('train', 'val', 'test'):
        kind = 'train' if split == 'train' else 'val'
        total = 0
        for domain in domains:
            dataset = build(name, split, shared, domain=domain)
            vids = {dataset.get_data_info(i)['vid'] for i in range(len(dataset))}
            assert vids <= set(splits[domain][kind]) and len(vids) == len(dataset)
            total += len(dataset)
        totals.append(total)
        assert len(build(name, split, shared, domain=None)) == total
    assert tuple(totals) == COUNTS[name.split('_')[0]]


def test_published_numbers_of_videos_per_domain(shared):
    train = dict(dog=39, gymnastics=33, parkour=18, skating=23, skiing=67, surfing=53)
    valid = dict(dog=16, gymnastics=23, parkour=11, skating=10, skiing=50, surfing=42)
    for split, expected in (('train', train), ('val', valid)):
        for domain, count in expected.items():
            dataset = build('youtube_slowfast_clip', split, shared, domain=domain)
            assert len(dataset) == count
    assert len(build('tvsum_slowfast_clip', 'train', shared, domain='VU')) == 4


def test_unknown_domain_names_the_known_ones(shared):
    with pytest.raises(DataError, match='dog, gymnastics'):
        build('youtube_slowfast_clip', 'val', shared, domain='cat').full_init()


@pytest.fixture
def notes(shared):
    """Give what is logged while a dataset loads."""

    def logged(name, split, **changes):
        _, text = (read if changes else read_once)(name, split, shared, **changes)
        return text

    return logged


def test_known_problems_are_counted(notes):
    text = notes('tacos_slowfast_clip', 'train')
    assert '253 windows shorter than one clip (2 s)' in text
    assert '182 windows longer than 150 s' in text
    assert '159 windows longer' in notes('tacos_slowfast_clip', 'val')
    assert '143 windows longer' in notes('tacos_slowfast_clip', 'test')
    assert not notes('charades_slowfast_clip', 'train')
    text = notes('charades_slowfast_clip', 'train', features=dict(max_video_clips=75))
    assert '23 windows that end after the 75 s' in text
    rated = notes('tvsum_i3d', 'train', domain=None) + notes('tvsum_i3d', 'val', domain=None)
    assert rated.count('raters with no clip above their median') == 1
    assert ': 1 raters with no clip' in rated


def test_known_problems_of_qvhighlights(notes, shared):
    cfg = 'qvhighlights_internvideo2'
    text = notes(cfg, 'train')
    assert '213 videos whose id names another length than the duration' in text
    assert '13 queries with more than 10 windows' in notes(cfg, 'val')


def test_seconds_of_tvsum(shared):
    dataset = build('tvsum_slowfast_clip', 'val', shared, domain='VU')
    record, sample = dataset.get_data_info(0), dataset[0]
    assert record['duration'] == 2 * len(record['label']) == 148
    assert sample['meta']['num_clips'] == 74 and sample['duration'] == 148


@pytest.mark.parametrize('name', SIMULATED)
def test_simulated_shapes(name):
    cfg = load(name)
    real = {'charades': (5.5, 30.7, 194.3), 'tacos': (51.5, 184.6, 1402.2)}.get(name.split('_')[0])
    vids, batches = [], []
    for split in ('train', 'val', 'test'):
        everything = {} if real else {'domain': None}
        dataset = DATASETS.build({**cfg[f'{split}_dataloader'].dataset, **everything})
        records = [dataset.get_data_info(index) for index in range(len(dataset))]
        vids.append({record['vid'] for record in records})
        if real:
            seconds = np.array(sorted({r['vid']: r['duration'] for r in records}.values()))
            assert real[0] <= seconds.min() and seconds.max() <= real[2]
            assert 0.5 * real[1] < np.median(seconds) < 2 * real[1]
            assert all(len(record['relevant_windows']) == 1 for record in records)
        else:
            known = COUNTS[name.split('_')[0]]
            assert len(records) == known[('train', 'val', 'test').index(split)]
            assert {record['domain'] for record in records} == set(cfg.benchmark.domains)
            for record in records:
                ratings = np.array(record['label'])
                assert (ratings.max(0) > ratings.min(0)).all()
        batches.append(collate(first_samples(dataset)))
        assert batches[-1]['targets']['spans'].shape[1] == (1 if real else 0)
    assert not (vids[0] & vids[1] or vids[0] & vids[2] or vids[1] & vids[2])
    assert train_and_evaluate(cfg, batches[0], batches[2])
