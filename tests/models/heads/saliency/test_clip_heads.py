# SPDX-License-Identifier: Apache-2.0
"""Clip scores after fusion."""

import math

import pytest
import torch

from vtg.models.extras import Context
from vtg.models.heads import (
    ContextProductSaliencyHead,
    LinearSaliencyHead,
    LocalSaliency,
    LocalToGlobalSaliencyHead,
)


def with_context(state):
    return state.update(context=Context(torch.randn(len(state.duration), state.memory.shape[-1])))


@pytest.mark.parametrize(
    'make',
    [
        LinearSaliencyHead,
        ContextProductSaliencyHead,
        lambda dim: ContextProductSaliencyHead(dim, context='mean'),
        LocalToGlobalSaliencyHead,
        lambda dim: LocalSaliency(),
    ],
)
def test_padding_does_not_matter(toy, shaken, make):
    head = shaken(make(toy.dim))
    state = with_context(toy.state(clips=(12, 1, 9), words=(2, 2, 2)))
    toy.assert_padding_free(lambda s: {'s': (head(s)['saliency'], s.video_mask)}, state)


def test_linear(toy):
    head, state = LinearSaliencyHead(toy.dim), toy.state()
    expected = state.memory @ head.score.weight[0] + head.score.bias
    assert torch.allclose(head(state)['saliency'], expected, atol=1e-6)
    stream = torch.randn_like(state.memory)
    moved = head(state.update(saliency_memory=stream))['saliency']
    assert torch.equal(moved, head(state.update(memory=stream))['saliency'])


@pytest.mark.parametrize('context', ['token', 'mean', 'padded_mean'])
def test_context_product_against_loops(toy, shaken, context):
    head = shaken(ContextProductSaliencyHead(toy.dim, context=context))
    state = with_context(toy.state())
    with torch.no_grad():
        saliency = head(state)['saliency']
        for b in range(3):
            clips = state.memory[b][state.video_mask[b]]
            token = {
                'token': state.extras[Context].token[b],
                'mean': clips.mean(0),
                'padded_mean': state.memory[b].mean(0),
            }[context]
            for i, clip in enumerate(clips):
                product = head.clip_proj(clip) @ head.context_proj(token) / math.sqrt(toy.dim)
                assert saliency[b, i].item() == pytest.approx(product.item(), abs=1e-4)
    assert ('context' in head.requires) == (context == 'token')


def test_local_to_global_by_hand(toy, shaken):
    head, state = LocalToGlobalSaliencyHead(toy.dim), toy.state()
    assert torch.equal(head(state)['saliency'], state.local_saliency)  # starts at no correction
    shaken(head)
    with torch.no_grad():
        out = head(state)['saliency']
        for b in range(3):
            for i in range(12):
                local = state.local_saliency[b, i]
                louder = state.memory[b, i] * (1 + local.sigmoid())
                expected = local + head.offset.weight[0] @ louder + head.offset.bias[0]
                assert out[b, i].item() == pytest.approx(expected.item(), abs=1e-4)


def test_local_saliency_is_passed_on(toy):
    state = toy.state()
    assert LocalSaliency()(state)['saliency'] is state.local_saliency


def test_losses_by_name_and_what_they_need(toy):
    losses = dict(bce=dict(type='SaliencyBCELoss', weight=3.0), margin=None)
    head, state = LinearSaliencyHead(toy.dim, losses=losses), toy.state()
    out = head.loss(state)
    assert set(out) == {'loss_saliency_bce'} and head.loss_requires == ()
    plain = LinearSaliencyHead(toy.dim, losses=dict(bce=dict(type='SaliencyBCELoss')))
    assert out['loss_saliency_bce'].item() == pytest.approx(
        3 * plain.loss(state)['loss_saliency_bce'].item()
    )
    assert head.task == 'saliency' and LinearSaliencyHead(toy.dim).loss(state) == {}


@pytest.mark.parametrize(
    'kind', [LinearSaliencyHead, ContextProductSaliencyHead, LocalToGlobalSaliencyHead]
)
def test_gradients_reach_every_parameter(toy, kind, without_gradient):
    head, state = kind(toy.dim), with_context(toy.state())
    head(state)['saliency'].square().sum().backward()
    assert without_gradient(head) == []
