# SPDX-License-Identifier: Apache-2.0
"""Targets as the model gets them."""

from dataclasses import fields

import torch

from vtg.structures import GroundingTargets

BATCH = {
    'video_mask': torch.tensor([[True, True, True], [True, False, False]]),
    'duration': torch.tensor([6.0, 2.0]),
    'targets': {
        'spans': torch.rand(2, 1, 2),
        'span_mask': torch.tensor([[True], [False]]),
        'saliency': torch.tensor([[3.0, 0.0, 1.0], [2.0, 0.0, 0.0]]),
        'relevant': torch.tensor([[True, False, True], [True, False, False]]),
        'pos_clips': torch.tensor([[0], [0]]),
        'neg_clips': torch.tensor([[1], [0]]),
        'source_id': torch.tensor([0, 1]),
        'unknown_to_the_losses': torch.zeros(2),
    },
}


def test_from_batch_counts_clips_and_keeps_the_host_copy():
    targets = GroundingTargets.from_batch(BATCH, torch.device('cpu'))
    assert targets.num_clips.tolist() == [3, 1] and targets.duration.tolist() == [6, 2]
    assert targets.host.host is None
    for field in fields(targets):
        if field.name != 'host':
            ours, host = getattr(targets, field.name), getattr(targets.host, field.name)
            assert torch.equal(ours, host)
    assert torch.equal(targets.saliency, BATCH['targets']['saliency'])


def test_only_the_copy_for_the_model_moves():
    targets = GroundingTargets.from_batch(BATCH, torch.device('meta'))
    assert targets.spans.device.type == 'meta' and targets.num_clips.device.type == 'meta'
    assert targets.host.spans.device.type == 'cpu'
