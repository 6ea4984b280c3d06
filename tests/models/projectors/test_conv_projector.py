# SPDX-License-Identifier: Apache-2.0
"""The convolutional input projection."""

import pytest
import torch

from vtg.models.projectors import ConvProjector, LinearProjector


def test_width_one_is_the_linear_projection(toy, shaken):
    conv, state = shaken(ConvProjector(10, 8)).eval(), toy.state()
    linear = LinearProjector(10, 8).eval()
    for index, block in enumerate(conv.blocks):
        linear.layers[4 * index].load_state_dict(block.norm.state_dict())
        weights = block.conv.conv.state_dict()
        weights['weight'] = weights['weight'].squeeze(-1)
        linear.layers[4 * index + 2].load_state_dict(weights)
    x, mask = state.video_features, state.video_mask
    assert torch.allclose(conv.project(x, mask), linear.project(x, mask), atol=1e-5)
    conv.blocks[-1].relu = torch.nn.ReLU()
    assert torch.allclose(conv.project(x, mask), linear.project(x, mask).relu(), atol=1e-5)


@pytest.mark.parametrize('kernel_size', [1, 3, 5])
def test_padding_does_not_matter(toy, shaken, kernel_size):
    projector = shaken(ConvProjector(10, 8, kernel_size=kernel_size, last_relu=True)).eval()
    toy.assert_padding_free(
        lambda s: {'v': (projector.project(s.video_features, s.video_mask), s.video_mask)},
        toy.state(clips=(12, 1, 9), words=(2, 2, 2)),
    )


def test_neighbours_mix_in_wide_kernels(toy):
    state = toy.state()
    changed = state.video_features.clone()
    changed[:, 3] = torch.randn(3, 10)
    for width, reach in ((1, [3]), (3, [1, 2, 3, 4, 5])):  # two layers
        projector = ConvProjector(10, 8, kernel_size=width, dropout=0.0)
        before, after = (
            projector.project(x, state.video_mask) for x in (state.video_features, changed)
        )
        moved = (before - after).abs().sum(-1).gt(1e-6)[0].nonzero().flatten().tolist()
        assert set(moved) <= set(reach) and 3 in moved and len(moved) == len(reach)


def test_gradients_reach_every_parameter(toy, without_gradient):
    projector, state = ConvProjector(10, 8), toy.state()
    projector.project(state.video_features, state.video_mask).square().sum().backward()
    assert without_gradient(projector) == []
