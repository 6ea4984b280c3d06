# SPDX-License-Identifier: Apache-2.0
"""Convolutions along time that ignore padding."""

import pytest
import torch

from vtg.models.layers import MaskedConv1d, SeparableConv1d, convolve

MASK = torch.tensor([[True] * 6, [True] * 3 + [False] * 3, [True] + [False] * 5])


def naive_conv(x, weight, bias, stride=1):
    """``x (L, C)`` with a kernel of odd width, zeros beyond both ends."""
    reach = weight.shape[2] // 2
    rows = []
    for centre in range(0, len(x), stride):
        total = torch.zeros(len(weight)) if bias is None else bias.clone()
        for tap in range(weight.shape[2]):
            place = centre + tap - reach
            if 0 <= place < len(x):
                total = total + weight[:, :, tap] @ x[place]
        rows.append(total)
    return torch.stack(rows)


@pytest.mark.parametrize(
    'options',
    [
        dict(kernel_size=1),
        dict(kernel_size=3, padding=1, bias=False),
        dict(kernel_size=2, stride=2),
        dict(kernel_size=7, padding=3, groups=8),
        dict(kernel_size=3, padding=1, stride=2, groups=8),
    ],
)
def test_layout_does_not_change_a_convolution(options):
    conv, x = torch.nn.Conv1d(8, 8, **options), torch.randn(3, 9, 8)
    results = []
    for run in (lambda y: convolve(conv, y), lambda y: conv(y.mT).mT):
        y = x.clone().requires_grad_()
        out = run(y)
        results.append((out, *torch.autograd.grad(out.square().sum(), (y, *conv.parameters()))))
    for ours, theirs in zip(*results):
        assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        assert torch.allclose(convolve(conv, x), results[1][0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('kernel', [1, 3, 5])
def test_every_sample_is_convolved_at_its_own_length(kernel):
    conv, x = MaskedConv1d(4, 3, kernel), torch.randn(3, 6, 4)
    with torch.no_grad():
        out = conv(x, MASK)
        for b, length in enumerate(MASK.sum(1)):
            expected = naive_conv(x[b, :length], conv.conv.weight, conv.conv.bias)
            assert torch.allclose(out[b, :length], expected, atol=1e-6)


@pytest.mark.parametrize('stride', [1, 2])
def test_separable_convolution_against_loops(stride):
    conv, x = SeparableConv1d(4, stride, init_std=0.5), torch.randn(3, 6, 4)
    depthwise = torch.zeros(4, 4, 3)
    for channel in range(4):
        depthwise[channel, channel] = conv.depthwise.weight[channel, 0].detach()
    with torch.no_grad():
        out = conv(x, MASK)
        assert out.shape == (3, -(-6 // stride), 4)
        for b, length in enumerate(MASK.sum(1)):
            middle = naive_conv(x[b, :length], depthwise, None, stride)
            expected = middle @ conv.pointwise.weight[:, :, 0].T
            assert torch.allclose(out[b, : len(expected)], expected, atol=1e-6)
    assert conv.depthwise.bias is None and conv.pointwise.bias is None


@pytest.mark.parametrize(
    'make', [lambda **kw: MaskedConv1d(4, 4, **kw), lambda **kw: SeparableConv1d(4, **kw)]
)
def test_reading_the_padding_is_an_option(make):
    x = torch.randn(3, 6, 4)
    other = torch.where(MASK[..., None], x, torch.randn_like(x))
    for mask_padding in (True, False):
        conv = make(mask_padding=mask_padding, init_std=0.5)
        equal = torch.allclose(conv(x, MASK)[MASK], conv(other, MASK)[MASK], atol=1e-6)
        assert equal == mask_padding


def test_initialisation():
    conv = MaskedConv1d(64, 64, 3, init_std=0.01)
    assert conv.conv.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not conv.conv.bias.any()
    separable = SeparableConv1d(256)
    assert separable.pointwise.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert separable.depthwise.weight.std().item() == pytest.approx(0.01, rel=0.1)
