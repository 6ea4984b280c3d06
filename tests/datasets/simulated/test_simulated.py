# SPDX-License-Identifier: Apache-2.0
"""Simulated data: repeatable, in QVHighlights' format, and learnable from the features alone."""

import pickle

import numpy as np
import pytest

from vtg.datasets import SampleKey, SimulatedDataset, collate
from vtg.datasets.simulated.words import content_words
from vtg.utils import ConfigError

# Made once; a change here means that the data of earlier runs can no longer be made.
KNOWN = {
    'record': ('In this one a boy repairs the kite', 'sim0-000001_0.0_78.0'),
    'windows': [[10.0, 16.0], [20.0, 26.0], [44.0, 66.0]],
    'video': [0.11074180, -0.04595518, 0.05841940, 0.04215294],
    'text': [-0.03960034, -0.03303425, 0.11719599, 0.08846732],
}


def _arrays(sample):
    return sample['video'], sample['text'], sample['targets']['spans']


def test_same_seed_gives_the_same_data_in_any_order():
    first, second = SimulatedDataset(num_samples=12), SimulatedDataset(num_samples=40)
    revived = pickle.loads(pickle.dumps(second))
    for index in (11, 3, 0, 7):
        for other in (second, revived):
            for a, b in zip(_arrays(first[index]), _arrays(other[index])):
                np.testing.assert_array_equal(a, b)
    assert first[3]['meta'] == second[3]['meta']
    moved = SimulatedDataset(num_samples=12, seed=1)
    assert moved[0]['meta'] != first[0]['meta']


def test_known_values():
    """The same on every machine: integers exactly, features up to the order of summation."""
    sample = SimulatedDataset(num_samples=4, test_mode=True)[2]
    record = sample['meta']['annotation']
    assert (record['query'], record['vid']) == KNOWN['record']
    assert record['relevant_windows'] == KNOWN['windows']
    np.testing.assert_allclose(sample['video'][3, :4], KNOWN['video'], atol=1e-5)
    np.testing.assert_allclose(sample['text'][1, :4], KNOWN['text'], atol=1e-5)


def test_splits_share_the_world_but_no_video():
    train = SimulatedDataset(num_samples=200)
    val = SimulatedDataset(num_samples=200, first_video=100000)
    infos = [[part.get_data_info(i) for i in range(200)] for part in (train, val)]
    assert not {r['vid'] for r in infos[0]} & {r['vid'] for r in infos[1]}
    words = [{word for r in part for word in content_words(r['query'])} for part in infos]
    assert words[0] == words[1]


def test_records_are_consistent():
    dataset = SimulatedDataset(num_samples=300, num_clips=(20, 40), max_moments=3)
    records = [dataset.get_data_info(i) for i in range(300)]
    lengths = {int(r['duration'] / 2) for r in records}
    assert min(lengths) >= 20 and max(lengths) <= 40 and len(lengths) > 15
    assert {len(r['relevant_windows']) for r in records} == {1, 2, 3}
    assert len({len(r['query'].split()) for r in records}) > 3
    shared = [r['vid'] for r in records]
    assert 0.1 < 1 - len(set(shared)) / len(shared) < 0.3
    covered = {}
    for r in records:
        ids = [c for s, e in r['relevant_windows'] for c in range(int(s / 2), int(e / 2))]
        assert ids == r['relevant_clip_ids'] == sorted(set(ids))
        assert len(r['saliency_scores']) == len(ids) and ids[-1] < r['duration'] / 2
        assert all(len(row) == 3 and 0 <= min(row) <= max(row) <= 4 for row in r['saliency_scores'])
        widths = [(e - s) / 2 for s, e in r['relevant_windows']]
        assert all(2 <= width <= 12 for width in widths)
        assert not covered.setdefault(r['vid'], set()) & set(ids)
        covered[r['vid']] |= set(ids)
    best = [np.max(r['saliency_scores']) for r in records]
    assert np.mean(np.equal(best, 4)) > 0.9


def test_queries_of_one_video_share_its_features():
    dataset = SimulatedDataset(num_samples=60)
    by_video = {}
    for index in range(60):
        sample = dataset[index]
        by_video.setdefault(sample['meta']['vid'], []).append(sample)
    pairs = [samples for samples in by_video.values() if len(samples) == 2]
    assert pairs
    for a, b in pairs:
        np.testing.assert_array_equal(a['video'], b['video'])
        assert a['text'].shape != b['text'].shape or (a['text'] != b['text']).any()


def test_several_backbones_and_widths():
    sample = SimulatedDataset(num_samples=2, video_dims=(48, 24, 24), text_dim=40)[SampleKey(1, 3)]
    assert sample['video'].shape[1] == 48 + 24 + 24 + 2 and sample['text'].shape[1] == 40
    assert np.abs(sample['video'][:, 48:72] - sample['video'][:, 72:96]).max() > 0.1


def test_impossible_lengths_are_refused():
    with pytest.raises(ConfigError, match=r'num_clips\[0\] to at least 10'):
        SimulatedDataset(num_clips=(8, 40))
    dataset = SimulatedDataset(num_samples=100, num_clips=(10, 10), moment_clips=(2, 8))
    assert all(dataset.get_data_info(i)['relevant_windows'] for i in range(100))


def _pairs(dataset, count):
    """Return video clips, the mean word of their query, and whether they are relevant."""
    samples = [dataset[i] for i in range(count)]
    text = np.repeat(
        [s['text'][1:-1].mean(0) for s in samples], [len(s['video']) for s in samples], axis=0
    )
    video = np.concatenate([s['video'][:, :-2] for s in samples])
    return video, text, np.concatenate([s['targets']['relevant'] for s in samples])


def _area_under_curve(scores, positive):
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores)] = np.arange(1, len(scores) + 1)
    n = positive.sum()
    return (ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n))


def test_a_bilinear_probe_generalises_to_new_videos():
    """Ridge regression on outer products finds the moments; either side alone does not."""
    options = dict(video_dims=(24,), text_dim=24)
    video, text, relevant = _pairs(SimulatedDataset(num_samples=400, **options), 400)
    test = _pairs(SimulatedDataset(num_samples=150, first_video=100000, **options), 150)

    def fit(make):
        x = make(video, text)
        weights = np.linalg.solve(x.T @ x + 3.0 * np.eye(x.shape[1]), x.T @ (relevant - 0.3))
        return _area_under_curve(make(*test[:2]) @ weights, test[2])

    outer = fit(lambda v, t: np.einsum('ni,nj->nij', v, t).reshape(len(v), -1))
    assert outer > 0.85
    assert fit(lambda v, t: v) < 0.65
    assert fit(lambda v, t: t) < 0.65
    chance = _area_under_curve(np.random.default_rng(0).random(len(test[2])), test[2])
    assert abs(chance - 0.5) < 0.05


def test_difficulty_orders_the_noise():
    def score(difficulty):
        dataset = SimulatedDataset(
            num_samples=80,
            difficulty=difficulty,
            video_dims=(256,),
            features=dict(normalize_video=False),
        )
        # The trace itself, read through the projection that made it.
        from vtg.datasets.simulated.world import meaning, projection

        values, relevant = [], []
        for index in range(80):
            sample = dataset[index]
            direction = meaning(0, content_words(sample['meta']['query']))
            seen = direction @ projection(0, 'video0', 256)
            values.append(sample['video'][:, :-2] @ seen)
            relevant.append(sample['targets']['relevant'])
        return _area_under_curve(np.concatenate(values), np.concatenate(relevant))

    easy, default, hard = score(0.0), score(0.5), score(1.0)
    assert easy > default > hard > 0.8 and easy > 0.98


def test_batches_are_unequal_in_both_lengths():
    dataset = SimulatedDataset(num_samples=16)
    batch = collate([dataset[i] for i in range(16)])
    assert len(set(batch['video_mask'].sum(1).tolist())) > 4
    assert len(set(batch['text_mask'].sum(1).tolist())) > 2
