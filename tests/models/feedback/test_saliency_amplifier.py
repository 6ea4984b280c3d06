# SPDX-License-Identifier: Apache-2.0
"""Amplification of salient clips."""

import torch

from vtg.models.feedback import SaliencyAmplifier
from vtg.models.layers import amplify


def test_by_hand():
    memory = torch.tensor([[[1.0, -2.0], [3.0, 0.5]]])
    saliency = torch.tensor([[0.0, 100.0]])
    assert amplify(memory, saliency).tolist() == [[[1.5, -3.0], [6.0, 1.0]]]
    assert torch.equal(amplify(memory, torch.full((1, 2), -200.0)), memory)


def test_changes_the_moments_and_keeps_the_memory(toy):
    amplifier, state = SaliencyAmplifier(), toy.state()
    out = amplifier(state)
    assert set(out) == set(amplifier.provides) == {'moment_memory'}
    for b in range(3):
        for i in range(state.memory.shape[1]):
            expected = state.memory[b, i] * (1 + 1 / (1 + (-state.saliency[b, i]).exp()))
            assert torch.allclose(out['moment_memory'][b, i], expected, atol=1e-5)
    assert state.update(**out).for_saliency is state.memory


def test_padding_does_not_matter(toy):
    amplifier = SaliencyAmplifier()
    toy.assert_padding_free(
        lambda s: {'stream': (amplifier(s)['moment_memory'], s.video_mask)}, toy.state()
    )


def test_gradient_flows_through_the_gate(toy):
    state = toy.state()
    saliency = state.saliency.clone().requires_grad_()
    SaliencyAmplifier()(state.update(saliency=saliency))['moment_memory'].sum().backward()
    assert (saliency.grad != 0).all() and not list(SaliencyAmplifier().parameters())
