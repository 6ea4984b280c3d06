# SPDX-License-Identifier: Apache-2.0
"""The benchmarks' files build, agree with each other and say what is missing."""

from pathlib import Path

import pytest

from vtg.engine import load_config
from vtg.engine.config import FACTS
from vtg.registry import DATA_SAMPLERS, DATASETS, FUNCTIONS
from vtg.utils import DataError

BASES = Path(__file__).parents[2] / 'configs' / '_base_' / 'benchmarks'
LOADERS = {'train_dataloader', 'val_dataloader', 'test_dataloader'}
KEYS = LOADERS | {'val_evaluator', 'test_evaluator', 'benchmark', 'lineage'}


def _load(name):
    return load_config(BASES / f'{name}.py')


# What several feature sets of a benchmark share, and how samples are loaded.
SHARED = ('loaders', 'loaders_light', 'qvhighlights', 'charades', 'tacos', 'tvsum', 'youtube')
SHARED += ('activitynet', 'nlq')


@pytest.mark.parametrize(
    'path',
    sorted(path for path in BASES.glob('*.py') if path.stem not in SHARED),
    ids=lambda path: path.stem,
)
def test_every_file_gives_three_loaders_and_no_other_key(path):
    config = load_config(path)
    assert set(config) == KEYS
    assert set(config.benchmark) <= set(FACTS)
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        assert loader.get('persistent_workers', False) == (loader.num_workers > 0)
        assert DATA_SAMPLERS.get(loader.sampler.type) and DATASETS.get(loader.dataset.type)
        assert FUNCTIONS.get(loader.collate_fn.type)
        assert loader.dataset.get('test_mode', False) == (split != 'train')
        assert loader.sampler.shuffle == (split == 'train')


@pytest.mark.parametrize('name', ['qvhighlights_internvideo2', 'qvhighlights_slowfast_clip'])
def test_absent_data_are_named(name, tmp_path):
    dataset = _load(name).train_dataloader.dataset
    with pytest.raises(DataError) as error:
        DATASETS.build({**dataset, 'data_root': str(tmp_path)})
    message = str(error.value)
    for store in (*dataset.video, *dataset.text):
        assert str(tmp_path / store.folder) in message and f'{store.pattern}.npz' in message
    assert 'highlight_train_release.jsonl' in message and 'https://github.com' in message


def test_simulated_splits_are_disjoint():
    config = _load('simulated')
    vids = []
    for split, count in (('train', 768), ('val', 256), ('test', 256)):
        dataset = DATASETS.build(config[f'{split}_dataloader'].dataset)
        assert len(dataset) == count
        vids.append({dataset.get_data_info(i)['vid'] for i in range(count)})
    assert not (vids[0] & vids[1] or vids[0] & vids[2] or vids[1] & vids[2])


def test_rehearsal_reads_real_annotations(shared):
    config = _load('qvhighlights_rehearsal').val_dataloader.dataset
    config.ann_file = str(shared / 'data' / 'qvhighlights' / 'highlight_val_release.jsonl')
    dataset = DATASETS.build(config)
    assert len(dataset) == 1550 and dataset[0]['video'].shape[1] == 514
