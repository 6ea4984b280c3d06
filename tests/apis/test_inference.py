# SPDX-License-Identifier: Apache-2.0
"""From a video file to moments, with a small SG-DETR and a random CLIP."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vtg.apis.inference import GroundingResult, Inferencer, ground
from vtg.datasets import collate
from vtg.engine import load_config
from vtg.evaluation.records import to_records
from vtg.extraction import extract_videos, read_clips
from vtg.registry import DATASETS, ENCODERS, MODELS
from vtg.utils import ConfigError, DataError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A config for CLIP features of width 24 and text of width 16, and random weights."""
    folder = tmp_path_factory.mktemp('model')
    config = folder / 'tiny.py'
    config.write_text(
        f"_base_ = '{ROOT}/configs/sgdetr/demo.py'\n"
        'model = dict(video_projector=dict(in_dim=26), text_projector=dict(in_dim=16))\n'
        '_widths = dict(dataset=dict(video_dims=(24,), text_dim=16))\n'
        'train_dataloader = val_dataloader = test_dataloader = _widths\n'
        'del _widths\n'
    )
    torch.manual_seed(0)
    model = MODELS.build(load_config(config).model)
    torch.save({'state_dict': model.state_dict()}, folder / 'model.pth')
    return config, folder / 'model.pth'


@pytest.fixture
def clip(tiny_clip):
    return dict(type='ClipEncoder', weights=str(tiny_clip), device='cpu')


def check(result, duration, clips):
    assert result.duration == pytest.approx(duration, abs=0.05)
    assert len(result.saliency) == clips and np.isfinite(result.saliency).all()
    moments = np.asarray(result.moments)
    assert len(moments) and (moments[:, 1] >= moments[:, 0]).all()
    assert (moments[:, 0] >= 0).all() and (np.diff(moments[:, 2]) <= 0).all()
    assert set(result.alternatives) == {'detr', 'atss'}


def test_a_video_file(trained, clip, videos):
    inferencer = Inferencer(*trained, device='cpu', encoders=[clip])
    queries = ['a man opens the door', 'the dog']
    results = inferencer(videos / 'v2.mp4', queries)
    assert [result.query for result in results] == queries
    for result in results:
        check(result, 23.0, 12)
    alone = inferencer(videos / 'v2.mp4', 'the dog')[0]
    np.testing.assert_allclose(alone.saliency, results[1].saliency, atol=1e-5)


def test_the_sample_video_from_extraction_to_moments(trained, clip, shared, tmp_path):
    path = shared / 'data/sample_video/charades.mp4'
    report = extract_videos({'charades': path}, clip, tmp_path)
    assert report.written == {'charades': 15} and not report.problems
    stored = np.load(tmp_path / 'charades.npz')
    assert stored['features'].shape == (15, 24) and stored['times'].shape == (15, 1)
    from_features = ground(
        *trained, tmp_path / 'charades.npz', 'a person cooks', device='cpu', encoders=[clip]
    )[0]
    from_video = ground(*trained, path, 'a person cooks', device='cpu', encoders=[clip])[0]
    check(from_video, 30.7, 15)
    np.testing.assert_allclose(from_features.saliency, from_video.saliency, atol=1e-6)
    np.testing.assert_allclose(from_features.moments, from_video.moments, atol=1e-3)


def test_features_are_prepared_as_the_dataset_does(trained, clip, videos, tmp_path):
    """The same numbers as through files, the dataset of the toolbox and the collate function."""
    encoder = ENCODERS.build(clip)
    features = encoder.encode_frames(read_clips(videos / 'v1.mp4', 2.0, 32).frames)
    tokens = encoder.encode_text('red room').tokens
    np.save(tmp_path / 'v1.npy', features)
    np.save(tmp_path / '0.npy', tokens)
    (tmp_path / 'a.jsonl').write_text(
        '{"qid": 0, "query": "red room", "vid": "v1", "duration": 12.4}\n'
    )
    store = dict(type='FolderStore', folder=str(tmp_path))
    dataset = DATASETS.build(
        dict(
            type='GroundingDataset', ann_file=str(tmp_path / 'a.jsonl'), test_mode=True,
            video={**store, 'pattern': '{vid}'}, text={**store, 'pattern': '{qid}'},
            labels=dict(saliency=dict(type='AnnotatorSum')),
        )
    )  # fmt: skip
    inferencer = Inferencer(*trained, device='cpu')
    with torch.inference_mode():
        (prediction,) = inferencer.model.test_step(collate([dataset[0]]))
    (expected,) = to_records(prediction)
    result = inferencer(features, 'red room', [tokens], duration=12.4)[0]
    assert result.moments == expected['pred_relevant_windows']
    assert result.saliency == expected['pred_saliency_scores']


def test_mistakes_are_sentences(trained, clip, videos, tmp_path):
    inferencer = Inferencer(*trained, device='cpu', encoders=[clip])
    with pytest.raises(DataError, match='does not exist'):
        inferencer(tmp_path / 'none.mp4', 'a dog')
    with pytest.raises(DataError, match='24'):
        inferencer(np.zeros((5, 30), np.float32), 'a dog')
    with pytest.raises(ConfigError, match='no words'):
        inferencer(videos / 'v0.mp4', ' \u200b')
    with pytest.raises(ConfigError, match='encoders'):
        Inferencer(*trained, device='cpu')(videos / 'v0.mp4', 'a dog')


def test_the_stored_duration_counts(trained, clip, tmp_path):
    features = np.random.default_rng(0).normal(size=(16, 24)).astype(np.float32)
    np.savez(tmp_path / 'a.npz', features=features, duration=np.float64(31.0))
    np.savez(tmp_path / 'b.npz', features=features)
    np.savez(tmp_path / 'c.npz', features=features, duration=np.array([np.nan, 1]))
    inferencer = Inferencer(*trained, device='cpu', encoders=[clip])
    durations = [inferencer(tmp_path / f'{n}.npz', 'a dog')[0].duration for n in 'abc']
    assert durations == [31.0, 32.0, 32.0]
    assert inferencer(tmp_path / 'a.npz', 'a dog', duration=30.5)[0].duration == 30.5


def test_different_moments_are_shown():
    same = [[0.0, 10.0 + 0.1 * n, 0.9 - 0.1 * n] for n in range(5)]
    result = GroundingResult('q', 'v', 40.0, 2.0, [*same, [20.0, 30.0, 0.1]])
    assert result.distinct() == [[0.0, 10.0, 0.9], [20.0, 30.0, 0.1]]
    assert GroundingResult('q', 'v', 40.0, 2.0, []).distinct() == []


def test_a_folder_and_a_device_that_is_not_there(trained, clip, tmp_path):
    inferencer = Inferencer(*trained, device='cpu', encoders=[clip])
    (tmp_path / 'x.npz').mkdir()
    for place in (tmp_path, tmp_path / 'x.npz'):
        with pytest.raises(DataError, match='is a folder'):
            inferencer(place, 'a dog')
    for device in ('cuda:99', 'gpu', 'meta'):
        with pytest.raises(ConfigError, match='cannot be used here; available: cpu'):
            Inferencer(*trained, device=device)


def test_an_encoded_video_is_asked_again(trained, clip):
    """A handle gives what a batch of whole samples gives, for any number of calls and queries."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(16, 24)).astype(np.float32)
    texts = [rng.normal(size=(count, 16)).astype(np.float32) for count in (3, 5, 2)]
    inferencer = Inferencer(*trained, device='cpu', batch_size=2)
    video = inferencer.encode(features, duration=31.0)
    assert (video.vid, video.duration, video.num_clips) == ('video', 31.0, 16)
    queries = ['a', 'b', 'c']
    results = inferencer.ground(video, queries, texts)
    assert [result.query for result in results] == queries
    again = inferencer.ground(video, 'b', texts[1:2])[0]

    builder = inferencer.dataset.builder
    records = [{'qid': q, 'query': q, 'vid': 'v', 'duration': 31.0} for q in queries]
    samples = [builder(r, [features], [t], rng) for r, t in zip(records, texts)]
    with torch.inference_mode():
        (prediction,) = inferencer.model.test_step(collate(samples))
    for result, expected in zip(results, to_records(prediction), strict=True):
        np.testing.assert_allclose(result.saliency, expected['pred_saliency_scores'], atol=1e-3)
        np.testing.assert_allclose(result.moments, expected['pred_relevant_windows'], atol=2e-4)
    np.testing.assert_allclose(again.moments, results[1].moments, atol=2e-4)


def test_half_precision(trained):
    rng = np.random.default_rng(0)
    video, text = rng.normal(size=(16, 24)), [rng.normal(size=(3, 16))]
    whole, half = (
        Inferencer(*trained, device='cpu', amp=amp)(video, 'a', text)[0] for amp in (None, 'bf16')
    )
    difference = np.abs(np.subtract(whole.saliency, half.saliency))
    assert 0 < difference.max() < 0.1
    with pytest.raises(ConfigError, match='bf16'):
        Inferencer(*trained, device='cpu', amp='fp16')
