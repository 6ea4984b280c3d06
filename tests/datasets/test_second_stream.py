# SPDX-License-Identifier: Apache-2.0
"""A second stream of features, from the facts of a benchmark to the model."""

import numpy as np
import pytest
import torch
from systems import WIDTH, small_system

from vtg.datasets import SimulatedDataset
from vtg.datasets.collate import collate
from vtg.datasets.simulated import simulated_features
from vtg.engine.config import load_config
from vtg.utils import ConfigError

STREAM = dict(type='SimulatedVideo', dim=WIDTH, backbone='audio')


def dataset(**options):
    return SimulatedDataset(
        num_samples=3, video_dims=(WIDTH,), text_dim=WIDTH, audio=STREAM,
        features=dict(tef=False), **options,
    )  # fmt: skip


def test_it_lies_on_the_clips_of_the_video():
    samples = [dataset()[index] for index in range(3)]
    for sample in samples:
        assert sample['audio'].shape == sample['video'].shape
        np.testing.assert_allclose(np.linalg.norm(sample['audio'], axis=1), 1, atol=1e-4)
        assert not np.allclose(sample['audio'], sample['video'])
    batch = collate(samples)
    assert batch['audio'].shape == batch['video'].shape
    assert (batch['audio'][~batch['video_mask']] == 0).all()


def test_both_are_cut_to_the_shorter(tmp_path):
    data = dataset()
    record = {'qid': 1, 'vid': 'v', 'query': 'q', 'duration': 20}
    video, audio, text = (np.ones((n, WIDTH), np.float32) for n in (10, 9, 3))
    rng = np.random.default_rng(0)
    for arrays in ((video, audio), (audio, video)):
        sample = data.builder(record, arrays[:1], [text], rng, arrays[1:])
        assert len(sample['video']) == len(sample['audio']) == 9
        assert sample['meta']['num_clips'] == 9


def test_models_without_it_ignore_it_and_those_with_it_need_it():
    batch = collate([dataset()[index] for index in range(3)])
    plain = small_system('moment_detr').eval()
    plain(**plain.data_preprocessor(batch))
    model = small_system('umt').eval()
    with torch.no_grad():
        found = model(**model.data_preprocessor(batch)).saliency
        moved = model(**model.data_preprocessor({**batch, 'audio': -batch['audio']})).saliency
    assert not torch.allclose(found, moved)
    del batch['audio']
    with pytest.raises(ConfigError, match=r'audio features, but the batch has none; name their '):
        model(**model.data_preprocessor(batch))


def test_widths_and_rehearsal(tmp_path):
    file = tmp_path / 'config.py'
    file.write_text(
        "model = dict(type='Grounder', video_projector=dict(type='LinearProjector', dim=4),\n"
        "             audio_projector=dict(type='LinearProjector', dim=4),\n"
        "             text_projector=dict(type='LinearProjector', dim=4))\n"
        'train_dataloader = dict()\n'
        "benchmark = dict(dataset=dict(type='GroundingDataset', features=dict(tef=True)),\n"
        "                 splits=dict(train=dict(ann_file='a')),\n"
        "                 video=dict(type='FolderStore', folder='v', dim=5),\n"
        "                 audio=dict(type='FolderStore', folder='a', dim=7),\n"
        "                 text=dict(type='FolderStore', folder='t', dim=3))\n"
    )
    cfg = load_config(file)
    parts = [cfg.model[f'{name}_projector'].in_dim for name in ('video', 'audio', 'text')]
    assert parts == [7, 7, 3]
    (store,) = simulated_features(cfg.train_dataloader.dataset)['audio']
    assert store['type'] == 'SimulatedVideo' and store['dim'] == 7
