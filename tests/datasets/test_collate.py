# SPDX-License-Identifier: Apache-2.0
"""Padding and masks of a batch."""

import pytest
import torch

from vtg.datasets import collate
from vtg.registry import FUNCTIONS
from vtg.structures import GroundingTargets
from vtg.utils import ConfigError


def test_batch_contract(disk):
    dataset = disk.build(labels=dict(max_windows=5))
    batch = collate([dataset[i] for i in range(3)])
    assert batch['video'].shape == (3, 12, 8) and batch['text'].shape == (3, 8, 4)
    assert batch['video_mask'].sum(1).tolist() == [10, 10, 12]
    assert batch['text_mask'].sum(1).tolist() == [8, 3, 5]
    assert not batch['video'][~batch['video_mask']].any()
    assert not batch['text'][~batch['text_mask']].any()
    assert batch['duration'].tolist() == [20, 20, 24]
    assert [meta['num_clips'] for meta in batch['meta']] == [10, 10, 12]

    targets = batch['targets']
    assert targets['span_mask'].sum(1).tolist() == [1, 1, 5]
    torch.testing.assert_close(targets['spans'][0, 0], torch.tensor([0.25, 0.3]))
    assert targets['saliency'].shape == targets['relevant'].shape == (3, 12)
    assert targets['saliency'][0].tolist() == [0, 6, 12, 6, *[0] * 8]
    assert targets['pos_clips'].shape == targets['neg_clips'].shape == (3, 2)
    assert targets['source_id'][0] == targets['source_id'][1] != targets['source_id'][2]
    assert GroundingTargets.from_batch(batch, torch.device('cpu')).spans.dtype == torch.float32
    dtypes = {name: tensor.dtype for name, tensor in targets.items()}
    assert dtypes['span_mask'] == dtypes['relevant'] == torch.bool
    assert dtypes['pos_clips'] == dtypes['source_id'] == torch.int64
    assert dtypes['saliency'] == batch['video'].dtype == batch['duration'].dtype == torch.float32


def test_one_unlabelled_sample_leaves_the_batch_without_targets(disk):
    del disk.records[1]['relevant_windows']
    dataset = disk.build(test_mode=True)
    assert 'targets' not in collate([dataset[0], dataset[1]])
    assert 'targets' in collate([dataset[0], dataset[2]])


def test_appended_rows_are_padding_unless_they_are_declared_valid(disk):
    padding = collate([disk.build(features=dict(pad_to_multiple=4))[0]])
    assert padding['video'].shape[1] == padding['targets']['saliency'].shape[1] == 12
    assert padding['video_mask'].sum() == 10 and padding['duration'].tolist() == [20]

    valid = collate([disk.build(features=dict(pad_to_multiple=4, mask_padding=False))[0]])
    assert valid['video_mask'].sum() == 12 and valid['duration'].tolist() == [24]
    assert valid['targets']['saliency'].shape == (1, 12)
    assert not valid['video'][0, 10:].any()


def test_fixed_lengths_add_padding_only(disk):
    dataset = disk.build(labels=dict(max_windows=5))
    samples = [dataset[i] for i in range(3)]
    plain, fixed = collate(samples), collate(samples, dict(clips=16, words=9, moments=6))
    assert fixed['video'].shape == (3, 16, 8) and fixed['text'].shape == (3, 9, 4)
    for name, size in (('video', 12), ('video_mask', 12), ('text', 8), ('text_mask', 8)):
        assert torch.equal(fixed[name][:, :size], plain[name]) and not fixed[name][:, size:].any()
    ours, theirs = fixed['targets'], plain['targets']
    assert ours['spans'].shape == (3, 6, 2) and ours['span_mask'].sum(1).tolist() == [1, 1, 5]
    assert ours['saliency'].shape == ours['relevant'].shape == (3, 16)
    assert torch.equal(ours['saliency'][:, :12], theirs['saliency'])
    with pytest.raises(ConfigError, match=r'12 clips, but collate_fn\.pad_to\.clips is 11'):
        collate(samples, dict(clips=11))


def test_collate_is_found_by_its_scoped_name():
    assert FUNCTIONS.get('vtg.collate') is collate
