# SPDX-License-Identifier: Apache-2.0
"""Small building blocks."""

import math

import pytest
import torch
from torch import nn

from vtg.models.layers import MLP, FeedForward, clones, masked_fill_zero, xavier_linear
from vtg.utils import ConfigError


def bound(fan_in, fan_out, gain=1.0):
    return gain * math.sqrt(6 / (fan_in + fan_out))


def fills(weight, limit):
    """Whether a uniform distribution within ±limit is plausible."""
    return 0.85 * limit < weight.abs().max() <= limit


def test_mlp_has_relu_between_linear_layers():
    mlp = MLP(4, 6, 5, 2)
    assert [type(layer).__name__ for layer in mlp] == ['Linear', 'ReLU'] * 2 + ['Linear']
    x = torch.randn(3, 4)
    hidden = x
    for index, layer in enumerate((mlp[0], mlp[2], mlp[4])):
        hidden = hidden @ layer.weight.T + layer.bias
        hidden = hidden.clamp(min=0) if index < 2 else hidden
    assert torch.allclose(mlp(x), hidden, atol=1e-6)


def test_mlp_initialisation():
    mlp = MLP(50, 60, 40)
    assert fills(mlp[0].weight, bound(50, 60, math.sqrt(2))) and fills(mlp[2].weight, bound(60, 40))
    assert not mlp[0].bias.any() and not mlp[2].bias.any()
    zero = MLP(5, 6, 2, zero_last=True)
    assert not zero[-1].weight.any() and not zero[-1].bias.any() and zero[0].weight.any()
    plain = MLP(50, 60, 2, xavier=False)
    assert fills(plain[0].weight, 1 / math.sqrt(50)) and plain[0].bias.any()


@pytest.mark.parametrize(
    ('name', 'function', 'gain'),
    [
        ('prelu', lambda x: torch.where(x > 0, x, 0.25 * x), math.sqrt(2 / (1 + 0.25**2))),
        ('relu', lambda x: x.clamp(min=0), math.sqrt(2)),
        ('gelu', lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))), math.sqrt(2)),
    ],
)
def test_feed_forward(name, function, gain):
    net = FeedForward(40, 80, 0.5, name)
    assert fills(net[0].weight, bound(40, 80, gain)) and fills(net[3].weight, bound(80, 40))
    assert not net[0].bias.any() and not net[3].bias.any()
    x = torch.randn(2, 3, 40)
    net.eval()
    assert torch.allclose(net(x), function(x @ net[0].weight.T) @ net[3].weight.T, atol=1e-5)
    net.train()
    assert not torch.equal(net(x), net(x))


def test_unknown_activation():
    with pytest.raises(ConfigError, match=r"one of prelu, relu, gelu; got 'swish'"):
        FeedForward(4, 8, activation='swish')


def test_clones_start_equal_and_are_apart():
    copies = clones(nn.Linear(3, 2), 3)
    assert all(torch.equal(copy.weight, copies[0].weight) for copy in copies)
    copies[0].weight.data.zero_()
    assert copies[1].weight.any()


def test_xavier_linear_may_keep_the_bias():
    layer = nn.Linear(4, 4)
    before = layer.bias.clone()
    assert torch.equal(xavier_linear(layer, bias=None).bias, before)
    assert torch.equal(xavier_linear(layer, bias=1.5).bias, torch.full((4,), 1.5))
    assert xavier_linear(nn.Linear(4, 4, bias=False)).bias is None


def test_masked_fill_zero_removes_even_nan():
    x = torch.tensor([[[1.0], [float('nan')]], [[float('inf')], [2.0]]])
    mask = torch.tensor([[True, False], [False, True]])
    assert masked_fill_zero(x, mask).flatten().tolist() == [1, 0, 0, 2]
