# SPDX-License-Identifier: Apache-2.0
"""Labels of covered and rated clips by hand; ratings that are malformed."""

import numpy as np
import pytest

from vtg.datasets import ClipRatings, CoveredClips
from vtg.datasets.annotations import check_records
from vtg.registry import TRANSFORMS
from vtg.utils import ConfigError, DataError

LABEL = {'label': [[0], [1], [0], [1], [0]]}


def _labels(component, record, clips, seed=0):
    return component(record, clips, 2.0, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ('windows', 'expected'),
    [
        ([[1.0, 5.0]], [1]),  # exactly half of clips 0 and 2 is not more than half
        ([[0.9, 5.2]], [0, 1, 2]),
        ([[2.1, 2.5]], [1]),  # nothing qualifies: the clip covered most
        ([[0.0, 1.5], [6.0, 8.0]], [0, 3]),
        ([[9.5, 12.0]], [4]),  # beyond the features
    ],
)
def test_clips_covered_by_more_than_half(windows, expected):
    labels = _labels(CoveredClips(), {'relevant_windows': windows}, 5)
    assert np.flatnonzero(labels['relevant']).tolist() == expected
    np.testing.assert_array_equal(labels['saliency'], labels['relevant'])
    assert np.isin(labels['pos_clips'], expected).all()
    assert not np.isin(labels['neg_clips'], expected).any()


def test_binary_ratings():
    component = ClipRatings(offset=0.0, scale=1.0, relevant='positive')
    labels = _labels(component, LABEL, 5)
    np.testing.assert_array_equal(labels['saliency'], [0, 1, 0, 1, 0])
    assert np.flatnonzero(labels['relevant']).tolist() == [1, 3]
    assert labels['pos_clips'].tolist() == [3] and labels['neg_clips'].tolist() == [0]


def test_random_pair_covers_all_clips():
    component = ClipRatings(offset=0.0, scale=1.0, relevant='positive', pair='random')
    drawn = [_labels(component, LABEL, 6, seed) for seed in range(50)]
    assert {int(d['pos_clips'][0]) for d in drawn} == {1, 3}
    # Clip 5 has no rating and is in no pair.
    assert {int(d['neg_clips'][0]) for d in drawn} == {0, 2, 4}
    assert len(drawn[0]['saliency']) == 6


@pytest.mark.parametrize(
    ('ratings', 'half', 'above'),
    [
        ([3, 1, 2, 5, 4], [0, 3, 4], [3, 4]),  # the median itself is above nothing
        ([3, 1, 2, 2], [0, 3], [0]),  # nor are its equals
        ([4, 1, 2, 3], [0, 3], [0, 3]),  # of four the second is the lower median
    ],
)
def test_the_better_half_and_what_is_above_the_median(ratings, half, above):
    for relevant, expected in (('half', half), ('above_median', above)):
        labels = _labels(ClipRatings(relevant=relevant), {'label': [[r] for r in ratings]}, 5)
        assert np.flatnonzero(labels['relevant']).tolist() == expected


def test_ratings_about_their_mean():
    ratings = np.random.default_rng(0).integers(1, 6, (7, 20))
    component = ClipRatings(offset='mean', scale=1 / 20, relevant='positive')
    labels = _labels(component, {'label': ratings.tolist()}, 7)
    np.testing.assert_allclose(labels['saliency'], ratings.mean(1) - ratings.mean(), atol=1e-6)
    np.testing.assert_array_equal(labels['relevant'], labels['saliency'] > 0)


@pytest.mark.parametrize('label', [[], [[]], [[1], [1, 2]], [1, 2], [[1], ['a']], [[None]], 3])
def test_malformed_ratings_are_refused(label):
    record = {'qid': 5, 'query': 'q', 'vid': 'v', 'duration': 4, 'label': label}
    with pytest.raises(DataError, match=r'qid 5.*label'):
        check_records([record], 'file.jsonl')


def test_options_are_checked():
    with pytest.raises(ConfigError, match='share'):
        CoveredClips(share=1.0)
    with pytest.raises(ConfigError, match="relevant is 'best'"):
        TRANSFORMS.build(dict(type='ClipRatings', relevant='best'))
