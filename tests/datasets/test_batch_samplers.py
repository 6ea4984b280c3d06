# SPDX-License-Identifier: Apache-2.0
"""Batches of so many clips, and batches of the queries of a video."""

from itertools import chain

import numpy as np
import pytest
import torch

from vtg.datasets import EpochSampler, LengthBatches, VideoBatches, collate
from vtg.registry import DATASETS
from vtg.utils import ConfigError

LENGTHS = [5, 30, 5, 8, 12, 100, 7, 5, 9, 31, 5, 6]


class Lengths:
    """A dataset of nothing but lengths; three queries in a row, and the last, share a video."""

    def __len__(self):
        return len(LENGTHS)

    def get_data_info(self, index):
        return {'index': index}

    def clips_of(self, record):
        return LENGTHS[record['index']]

    def video_of(self, record):
        return 'shared' if record['index'] in (2, 7, 10) else record['index']


def batches(cls, epoch=0, shuffle=True, rank=0, world=1, **options):
    sampler = EpochSampler(Lengths(), shuffle=shuffle, seed=3)
    sampler.rank, sampler.world_size = rank, world
    sampler.set_epoch(epoch)
    made = cls(sampler, **{'batch_size': 4, **options})
    found = list(made)
    assert len(found) == len(made)
    return found


def test_a_batch_has_at_most_so_many_clips():
    found = batches(LengthBatches, max_clips=40)
    assert sorted(chain(*found)) == list(range(12))
    for batch in found:
        longest = max(LENGTHS[index] for index in batch)
        assert len(batch) == 1 or (len(batch) * longest <= 40 and len(batch) <= 4)
    assert [5] in found  # longer than the limit: alone
    assert max(map(len, found)) == 4
    assert {(key.epoch, key.seed) for key in chain(*found)} == {(0, 3)}


def test_batches_depend_on_seed_and_epoch_only():
    first, again = (batches(LengthBatches, epoch=4, max_clips=40) for _ in range(2))
    assert first == again != batches(LengthBatches, epoch=5, max_clips=40)
    sizes = {len(batches(LengthBatches, epoch=epoch, max_clips=40)) for epoch in range(9)}
    assert len(sizes) == 1  # schedules and resuming count batches
    ordered = batches(LengthBatches, shuffle=False, max_clips=None)
    lengths = [LENGTHS[index] for index in chain(*ordered)]
    assert lengths == sorted(lengths) and [len(batch) for batch in ordered] == [4, 4, 4]


@pytest.mark.parametrize('cls', [LengthBatches, VideoBatches])
def test_processes_take_turns(cls):
    whole = batches(cls, max_clips=40)
    parts = [batches(cls, max_clips=40, rank=rank, world=4) for rank in range(4)]
    assert len({len(part) for part in parts}) == 1
    dealt = [parts[i % 4][i // 4] for i in range(len(whole))]
    assert dealt == whole
    assert sum(map(len, parts)) == -(-len(whole) // 4) * 4


def test_queries_of_a_video_share_a_batch():
    found = batches(VideoBatches, batch_size=3)
    assert [2, 7, 10] in found and sorted(chain(*found)) == list(range(12))
    assert all(len(batch) <= 3 for batch in found)
    assert [2, 7] in batches(VideoBatches, batch_size=2)
    # One video counts once, however many queries there are.
    assert [2, 7, 10] in batches(VideoBatches, max_clips=5)


def test_mistakes_are_sentences():
    with pytest.raises(ConfigError, match='max_clips'):
        batches(LengthBatches, max_clips=0)
    with pytest.raises(ConfigError, match='batch_sampler'):
        LengthBatches(EpochSampler(range(3)), 2)


def test_samples_of_a_video_are_read_and_stacked_once(monkeypatch):
    dataset = DATASETS.build(
        dict(type='SimulatedDataset', num_samples=6, video_dims=(4,), text_dim=4, test_mode=True)
    )
    reads = []
    read = dataset.reader.read_video

    def counted(record, *part):
        reads.append(record['vid'])
        return read(record, *part)

    monkeypatch.setattr(dataset.reader, 'read_video', counted)
    vids = [dataset.get_data_info(index)['vid'] for index in range(6)]
    assert len(set(vids)) < 6
    batch = collate(dataset.__getitems__(range(6)))
    assert len(reads) == len(set(vids)) == len(batch['video']) == len(batch['duration'])
    plain = collate([dataset[index] for index in range(6)])
    assert 'video_index' not in plain
    index = batch['video_index']
    for key in ('video', 'video_mask', 'duration'):
        assert torch.equal(batch[key][index], plain[key])
    for key in ('text', 'text_mask'):
        assert torch.equal(batch[key], plain[key])
    assert [meta['index'] for meta in batch['meta']] == list(range(6))
    # In training every sample has a video of its own.
    dataset.test_mode = False
    assert 'video_index' not in collate(dataset.__getitems__(range(6)))
    np.testing.assert_array_equal(dataset[0]['video'], dataset.__getitems__([0])[0]['video'])
