# SPDX-License-Identifier: Apache-2.0
"""The contrast of the best clip with other clips and other videos, against loops."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from vtg.models.auxiliary import SampledNCE


def best_first(state):
    """Targets whose first pair holds the clip with the highest label."""
    best = state.targets.saliency.argmax(dim=1, keepdim=True)
    targets = replace(state.targets, pos_clips=torch.cat((best, best), dim=1))
    return state.update(targets=targets)


@pytest.mark.parametrize('across', [True, False])
def test_by_hand(toy, shaken, across):
    nce = shaken(SampledNCE(toy.dim, across=across, weight=0.5))
    state = best_first(toy.state())
    scores = torch.full((3, 12), -math.inf)
    for b, (length, words) in enumerate(zip((12, 7, 9), (5, 1, 4))):
        weights = (state.text[b, :words] @ nce.pooling.weight).squeeze(-1).softmax(0)
        query = weights @ state.text[b, :words]
        for i in range(length):
            scores[b, i] = F.cosine_similarity(state.memory[b, i].relu(), query, dim=0) / 0.07
    total = 0.0
    for b in range(3):
        clip = state.targets.pos_clips[b, 0]
        total -= scores[b].log_softmax(0)[clip].item()
        if across:
            total -= scores[:, clip].log_softmax(0)[b].item()
    loss = nce.loss(state)['loss_sampled_nce']
    assert loss.item() == pytest.approx(0.5 * total / 3, rel=1e-4)


def test_padding_reaches_no_loss(toy, shaken):
    nce, state = shaken(SampledNCE(toy.dim)), best_first(toy.state())
    plain = nce.loss(state)['loss_sampled_nce'].item()
    other = nce.loss(toy.scrambled(state))['loss_sampled_nce'].item()
    assert other == pytest.approx(plain, rel=1e-4)
