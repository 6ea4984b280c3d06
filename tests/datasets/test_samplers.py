# SPDX-License-Identifier: Apache-2.0
"""Indices that carry the epoch."""

import pickle

import pytest
from mmengine.dataset import DefaultSampler

from vtg.datasets import EpochSampler, SampleKey, sample_generator


@pytest.mark.parametrize('shuffle', [True, False])
def test_order_is_that_of_the_default_sampler(shuffle):
    ours = EpochSampler(range(17), shuffle=shuffle, seed=3)
    theirs = DefaultSampler(range(17), shuffle=shuffle, seed=3)
    for epoch in (0, 5):
        ours.set_epoch(epoch)
        theirs.set_epoch(epoch)
        keys = list(ours)
        assert keys == list(theirs)
        assert {(key.epoch, key.seed) for key in keys} == {(epoch, 3)}


def test_shards_cover_the_data_and_round_up(monkeypatch):
    shards = []
    for rank in range(2):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda rank=rank: (rank, 2))
        shards.append(list(EpochSampler(range(5), shuffle=True, seed=0)))
    assert [len(shard) for shard in shards] == [3, 3]
    assert set(shards[0] + shards[1]) == set(range(5))


def test_key_survives_pickling_and_wrapping_datasets():
    key = pickle.loads(pickle.dumps(SampleKey(12, epoch=4, seed=9)))
    assert (key, key.epoch, key.seed) == (12, 4, 9)
    assert (key - 10, (key - 10).epoch, (key - 10).seed) == (2, 4, 9)
    assert (key % 5, (key % 5).epoch, (key % 5).seed) == (2, 4, 9)


def test_generator_depends_on_seed_epoch_and_index_only():
    def draw(*key):
        return sample_generator(SampleKey(*key)).integers(1 << 60)

    assert draw(1, 2, 3) == draw(1, 2, 3)
    assert len({draw(1, 2, 3), draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4)}) == 4
    assert sample_generator(5).integers(1 << 60) == draw(5, 0, 0)


def test_the_dataset_reports_at_both_ends_of_a_pass():
    class Counting(list):
        reports = 0

        def report(self):
            self.reports += 1

    dataset = Counting(range(4))
    list(EpochSampler(dataset, seed=0))
    assert dataset.reports == 2
