# SPDX-License-Identifier: Apache-2.0
"""Linear and context-product saliency."""

import torch

from vtg.models.extras import Context
from vtg.models.heads import ContextProductSaliencyHead, LinearSaliencyHead


def test_linear_scores_follow_the_stream_for_saliency(toy):
    state, head = toy.state(), LinearSaliencyHead(16)
    weight, bias = head.score.weight[0], head.score.bias[0]
    torch.testing.assert_close(head(state)['saliency'], state.memory @ weight + bias)
    stream = torch.randn_like(state.memory)
    found = head(state.update(saliency_memory=stream))['saliency']
    torch.testing.assert_close(found, stream @ weight + bias)


def test_context_product(toy):
    head = ContextProductSaliencyHead(16)
    state = toy.state().update(context=Context(torch.randn(3, 16)))
    found = head(state)['saliency']
    for sample in range(3):
        clips = head.clip_proj(state.memory[sample])
        expected = clips @ head.context_proj(state.extras[Context].token[sample]) / 4.0
        torch.testing.assert_close(found[sample], expected, rtol=1e-5, atol=1e-5)
    assert 'context' in head.requires


def test_losses_are_named_after_their_terms(toy):
    losses = dict(margin=dict(type='MarginPairLoss'), rank=dict(type='RankContrastiveLoss'))
    head = LinearSaliencyHead(16, losses)
    state = toy.state()
    state = state.update(**head(state))
    found = head.loss(state)
    assert set(found) == {'loss_saliency_margin', 'loss_saliency_rank'}
    assert all(value.isfinite() for value in found.values())
