# SPDX-License-Identifier: Apache-2.0
"""The light decoder of clip scores."""

import torch

from vtg.models.extras import ClipGain
from vtg.models.heads import LightSaliencyHead


def test_by_hand(toy, shaken):
    head, state = shaken(LightSaliencyHead(16)), toy.state()
    gain = torch.rand(state.saliency.shape)
    stream = torch.randn_like(state.memory)
    state = state.update(saliency_memory=stream)
    plain, raised = (
        head(state)['saliency'],
        head(state.update(clip_gain=ClipGain(gain)))['saliency'],
    )
    kernel = head.conv.conv.weight[:, :, 0]
    for b, i in ((0, 0), (1, 6), (2, 3)):
        x = stream[b, i]

        def decoded(y):
            return head.score(kernel @ head.linear(y) + head.conv.conv.bias)[0]

        assert torch.allclose(plain[b, i], decoded(x) + x.sum() / 4, atol=1e-4)
        expected = decoded(x * (1 + gain[b, i])) + x.sum() / 4
        assert torch.allclose(raised[b, i], expected, atol=1e-4)


def test_padding_does_not_matter(toy, shaken):
    for kernel in (1, 5):
        head = shaken(LightSaliencyHead(16, kernel_size=kernel))
        state = toy.state()
        state = state.update(clip_gain=ClipGain(torch.rand(state.saliency.shape)))
        toy.assert_padding_free(lambda s: {'scores': (head(s)['saliency'], s.video_mask)}, state)  # noqa: B023


def test_a_wider_convolution_sees_neighbours(toy, shaken):
    head, state = shaken(LightSaliencyHead(16, kernel_size=3)), toy.state()
    memory = state.memory.clone().requires_grad_()
    head(state.update(memory=memory))['saliency'][0, 4].backward()
    assert memory.grad[0].any(dim=-1).nonzero().flatten().tolist() == [3, 4, 5]


def test_gradients_reach_every_parameter(toy, without_gradient):
    head = LightSaliencyHead(16)
    head(toy.state())['saliency'].square().sum().backward()
    assert without_gradient(head) == []
