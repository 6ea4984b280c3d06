# SPDX-License-Identifier: Apache-2.0
"""Batches in which some or all queries have no moment: what learns from them, and what must not."""

import re

import pytest
import torch
from systems import SYSTEMS, WIDTH, small_system

from vtg.evaluation.records import to_records

# What says that a video and its query, or a moment and a prediction, belong together.
MATCHING = re.compile(
    r'loss_(proposal_|denoising_|collab_|atss_|detr_)*(span|giou|l1|offset|centre|width'
    r'|global_alignment|align|sim|sampled_nce|moment_sentence|moment_dummy|video_sentence'
    r'|clip_sentence|video_calibration|layer_calibration|distillation|\w*(margin|cosine)|inter\w*'
    r'|intra\w*)(_\d+)?$'
)
SIZES = dict(clips=(7, 5, 6), words=(3, 2, 4), video_dim=WIDTH, text_dim=WIDTH)
SOME = [[(1, 4)], [], [(0, 2), (3, 5)]]


def with_existence(model):
    model['auxiliary'] = {
        **(model.get('auxiliary') or {}),
        'existence': dict(type='ExistenceHead', gate='soft'),
    }


def null_pairs(batch):
    """As the labels make them: a query without a moment has pairs of a clip with itself."""
    targets = batch['targets']
    without = ~targets['span_mask'].any(dim=1)
    for name in ('pos_clips', 'neg_clips'):
        targets[name][without] = 0
    targets['relevant'] = targets['saliency'] > 0
    return batch


@pytest.mark.parametrize('name', SYSTEMS)
def test_every_system(name, toy):
    model = small_system(name, noise=False, change=with_existence).train()
    for moments in (SOME, [[], [], []]):
        batch = null_pairs(toy.batch(moments=moments, **SIZES))
        inputs = model.data_preprocessor(batch, training=True)
        for dtype in (None, torch.bfloat16):
            model.zero_grad()
            with torch.autocast('cpu', torch.bfloat16, enabled=dtype is not None):
                losses = model(**inputs, mode='loss')
            sum(value for key, value in losses.items() if 'loss' in key).backward()
            assert all(value.isfinite() for value in losses.values())
            for key, parameter in model.named_parameters():
                assert parameter.grad is None or parameter.grad.isfinite().all(), (key, dtype)
        grad = model.slots['auxiliary.existence'].score[0].weight.grad
        assert grad is not None and grad.abs().sum() > 0
        if moments is not SOME:
            # Nothing is said to match where nothing does.
            wrong = {k: v.item() for k, v in losses.items() if MATCHING.match(k) and v != 0}
            assert not wrong
    records = to_records(model.eval()(**{**inputs, 'targets': None}, mode='predict'))
    assert all(0 <= record['pred_exist_score'] <= 1 for record in records)
