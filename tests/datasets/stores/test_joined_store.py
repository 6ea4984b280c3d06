# SPDX-License-Identifier: Apache-2.0
"""Two streams as one source: columns, lengths, joint normalisation, paths."""

import numpy as np
import pytest

from vtg.datasets import GroundingDataset, JoinedStore
from vtg.utils import ConfigError, DataError, write_jsonl

RATINGS = [[1, 5], [2, 4], [3, 3], [4, 1]]


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / 'streams').mkdir()
    (tmp_path / 'text').mkdir()
    for suffix, length in (('rgb', 6), ('opt', 5)):
        np.save(tmp_path / 'streams' / f'v1_{suffix}.npy', rng.normal(size=(length, 3)))
    np.savez(tmp_path / 'text' / 'v1.npz', token=rng.normal(size=(4, 2)), text=np.zeros(2))
    record = {'qid': 'v1', 'query': 'a title', 'vid': 'v1', 'duration': 4, 'label': RATINGS}
    write_jsonl(tmp_path / 'ratings.jsonl', [record | {'domain': 'VT'}])
    return tmp_path


def _streams(dim=6):
    stream = dict(type='FolderStore', folder='streams', dim=3)
    stores = [stream | {'pattern': f'{{vid}}_{suffix}'} for suffix in ('rgb', 'opt')]
    return dict(type='JoinedStore', dim=dim, stores=stores)


def _dataset(root, duration_unit='clips', **features):
    return GroundingDataset(
        ann_file='ratings.jsonl',
        data_root=str(root),
        video=[_streams()],
        text=dict(type='FolderStore', folder='text', pattern='{qid}', dim=2),
        labels=dict(saliency=dict(type='ClipRatings', offset=1.0, scale=1.0)),
        features=dict(length_tolerance=2, normalize_text=False) | features,
        duration_unit=duration_unit,
    )


def _expected(root):
    streams = [np.load(root / 'streams' / f'v1_{name}.npy') for name in ('rgb', 'opt')]
    joined = np.concatenate([stream[:5] for stream in streams], axis=1)
    return joined / (np.linalg.norm(joined, axis=1, keepdims=True) + 1e-5)


def test_streams_are_normalised_as_one_vector_and_cut_to_the_ratings(root):
    sample = _dataset(root)[0]
    assert sample['video'].shape == (4, 8) and sample['meta']['num_clips'] == 4
    np.testing.assert_allclose(sample['video'][:, :6], _expected(root)[:4], rtol=1e-5)
    # Positions are those in the whole video, as in the official loader.
    np.testing.assert_allclose(sample['video'][:, 6], np.arange(4) / 5, rtol=1e-5)
    assert sample['duration'] == 8 and sample['meta']['duration'] == 8
    np.testing.assert_array_equal(sample['targets']['saliency'], [4, 4, 4, 3])
    assert sample['targets']['spans'].shape == (0, 2)


def test_text_is_given_as_stored(root):
    stored = np.load(root / 'text' / 'v1.npz')['token'].astype(np.float32)
    np.testing.assert_array_equal(_dataset(root)[0]['text'], stored)


def test_unrated_clips_can_be_kept(root):
    sample = _dataset(root, unrated_clips='keep')[0]
    assert sample['meta']['num_clips'] == 5
    np.testing.assert_array_equal(sample['targets']['saliency'], [4, 4, 4, 3, 0])
    assert sample['targets']['neg_clips'].tolist() == [3]


def test_lengths_are_compared_with_the_ratings(root):
    with pytest.raises(DataError, match='expected 4 \\(one per row of label, tolerance 0\\)'):
        _dataset(root, length_tolerance=0)[0]


def test_absent_streams_and_wrong_widths_are_named(root):
    (root / 'streams' / 'v1_opt.npy').unlink()
    with pytest.raises(DataError, match='missing'):
        _dataset(root).full_init()
    store = dict(type='FolderStore', folder='nowhere', dim=3)
    assert JoinedStore([store, store]).absent().count('nowhere') == 2
    with pytest.raises(ConfigError, match=r'\[3, 3\]'):
        JoinedStore([store, store], dim=7)


def test_options_are_checked(root):
    for options in ({'unrated_clips': 'drop'}, {'duration_unit': 'frames'}):
        with pytest.raises(ConfigError, match='|'.join(options)):
            _dataset(root, **options)
