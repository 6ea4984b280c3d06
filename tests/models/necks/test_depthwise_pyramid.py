# SPDX-License-Identifier: Apache-2.0
"""The feature pyramid."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.necks import DepthwisePyramid
from vtg.models.necks.depthwise_pyramid import pad_clips


def separable(conv, x, stride):
    """``x (L, D)``: every channel by its own kernel of width 3, then all channels mixed."""
    rows = []
    for centre in range(0, len(x), stride):
        total = torch.zeros(x.shape[1])
        for tap in range(3):
            if 0 <= centre + tap - 1 < len(x):
                total = total + conv.depthwise.weight[:, 0, tap] * x[centre + tap - 1]
        rows.append(conv.pointwise.weight[:, :, 0] @ total)
    return torch.stack(rows)


def level(module, x, stride):
    def norm(layer, y):
        return F.layer_norm(y, y.shape[-1:], layer.weight, layer.bias)

    y = F.gelu(norm(module.norm1, separable(module.conv1, x, stride)))
    return norm(module.norm2, separable(module.conv2, y, 1))


def test_levels_against_loops(toy, shaken):
    neck, state = shaken(DepthwisePyramid(toy.dim)), toy.state(clips=(8, 4), words=(2, 2))
    with torch.no_grad():
        pyramid = neck(state)['pyramid']
        for b, length in enumerate((8, 4)):
            memory = state.memory[b, :length]
            doubled = torch.stack([memory[i // 2] for i in range(2 * length)])
            down2 = level(neck.down2, memory, 2)
            expected = (
                level(neck.up2, doubled, 1),
                level(neck.same, memory, 1),
                down2,
                level(neck.down4, F.gelu(down2), 2),
            )
            for features, mask, values in zip(pyramid.features, pyramid.masks, expected):
                assert mask[b].sum() == len(values)
                assert torch.allclose(features[b][mask[b]], values, atol=1e-4)
    assert pyramid.strides == (0.5, 1.0, 2.0, 4.0)


@pytest.mark.parametrize('clips', [(12, 7, 9), (5, 1, 3), (1, 1), (4, 2)])
def test_padding_does_not_matter(toy, shaken, clips):
    neck = shaken(DepthwisePyramid(toy.dim))
    state = toy.state(clips=clips, words=(2,) * len(clips))

    def run(s):
        pyramid = neck(s)['pyramid']
        pairs = zip(pyramid.features, pyramid.masks)
        return {str(k): (features, mask) for k, (features, mask) in enumerate(pairs)}

    toy.assert_padding_free(run, state)


def test_masks_of_lengths_that_are_no_multiple_of_four(toy):
    state = toy.state(clips=(7, 2, 5), words=(1, 1, 1))
    pyramid = DepthwisePyramid(toy.dim)(state)['pyramid']
    assert [mask.shape[1] for mask in pyramid.masks] == [16, 8, 4, 2]
    # A cell is real if any of its clips is.
    assert [mask.sum(1).tolist() for mask in pyramid.masks] == [
        [14, 4, 10], [7, 2, 5], [4, 1, 3], [2, 1, 2]
    ]  # fmt: skip
    for features, mask in zip(pyramid.features, pyramid.masks):
        assert not features[~mask].any()


def test_official_behaviour_reads_padding(toy, shaken):
    neck = shaken(DepthwisePyramid(toy.dim, mask_padding=False))
    state = toy.state(clips=(8, 4), words=(2, 2))
    first, other = (neck(s)['pyramid'] for s in (state, toy.scrambled(state)))
    assert torch.allclose(first.features[1][0], other.features[1][0], atol=1e-6)  # no padding
    border, inside = first.features[1][1] - other.features[1][1], slice(0, 2)
    assert border[3].abs().max() > 1e-3 and torch.allclose(border[inside], torch.zeros(1))


def test_pad_clips():
    x, mask = torch.randn(2, 5, 3), torch.ones(2, 5).bool()
    assert pad_clips(x, 4).shape == (2, 8, 3) and not pad_clips(x, 4)[:, 5:].any()
    assert pad_clips(mask, 4).sum().item() == 10 and pad_clips(x, 5) is x


def test_reads_the_stream_for_moments(toy):
    neck, state = DepthwisePyramid(toy.dim), toy.state()
    stream = torch.randn_like(state.memory)
    a = neck(state.update(moment_memory=stream))['pyramid']
    b = neck(state.update(memory=stream))['pyramid']
    assert all(map(torch.equal, a.features, b.features))


def test_gradients_reach_every_parameter(toy, without_gradient):
    neck, state = DepthwisePyramid(toy.dim), toy.state()
    weight = torch.randn(toy.dim)
    loss = sum((x * weight).square().sum() for x in neck(state)['pyramid'].features)
    loss.backward()
    assert without_gradient(neck) == []
    for name, parameter in neck.named_parameters():
        if 'pointwise' in name:
            assert parameter.std().item() == pytest.approx(0.01, rel=0.3)
