# SPDX-License-Identifier: Apache-2.0
"""From a collated batch to the arguments of the model."""

import torch

from vtg.models import GroundingDataPreprocessor
from vtg.structures import GroundingTargets


def test_training_wraps_the_targets(toy):
    batch = toy.batch()
    out = GroundingDataPreprocessor()(batch, training=True)
    assert set(out) == {
        'video', 'video_mask', 'audio', 'text', 'text_mask', 'duration', 'targets', 'meta'
    }  # fmt: skip
    assert isinstance(out['targets'], GroundingTargets)
    assert out['targets'].num_clips.tolist() == [12, 7, 9]
    assert torch.equal(out['video'], batch['video']) and out['meta'] is batch['meta']
    assert 'targets' in batch and isinstance(batch['targets'], dict)  # the batch is not changed


def test_evaluation_and_unlabelled_batches_have_no_targets(toy):
    batch = toy.batch()
    assert GroundingDataPreprocessor()(batch, training=False)['targets'] is None
    del batch['targets'], batch['meta']
    out = GroundingDataPreprocessor()(batch, training=True)
    assert out['targets'] is None and out['meta'] is None


def test_tensors_move_and_the_host_copy_stays(toy):
    preprocessor = GroundingDataPreprocessor()
    preprocessor._device = torch.device('meta')
    out = preprocessor(toy.batch(), training=True)
    for name in ('video', 'video_mask', 'text', 'text_mask', 'duration'):
        assert out[name].device.type == 'meta'
    assert out['targets'].spans.device.type == 'meta'
    assert out['targets'].host.spans.device.type == 'cpu'
