# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from vtg.apis.clustering import one_per_cluster
from vtg.utils import DataError


def test_one_member_of_every_cluster():
    rng = np.random.default_rng(0)
    centres = 10 * np.eye(4)
    groups = np.repeat(np.arange(4), 5)
    features = centres[groups] + 0.1 * rng.standard_normal((20, 4))
    chosen = one_per_cluster(features, 4, np.random.default_rng(1))
    members = np.abs(chosen[:, None] - features).max(axis=-1).argmin(axis=1)
    np.testing.assert_allclose(chosen, features[members], atol=1e-5)
    assert sorted(groups[members]) == [0, 1, 2, 3]
    again = one_per_cluster(features, 4, np.random.default_rng(1))
    np.testing.assert_array_equal(chosen, again)


def test_as_many_rows_as_features_are_all_of_them():
    """k-means may leave clusters empty then."""
    features = np.random.default_rng(0).standard_normal((6, 2))
    chosen = one_per_cluster(np.concatenate((features, features)), 6, np.random.default_rng(0))
    np.testing.assert_allclose(np.sort(chosen, axis=0), np.sort(features, axis=0), rtol=1e-6)


def test_too_few_features():
    with pytest.raises(DataError, match='2 different video features for 3 clusters'):
        one_per_cluster(np.array([[1.0], [2.0], [2.0]]), 3, np.random.default_rng(0), 'video')
