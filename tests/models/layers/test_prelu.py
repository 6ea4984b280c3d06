# SPDX-License-Identifier: Apache-2.0
"""PReLU against PyTorch's."""

import pytest
import torch
from torch import nn

from vtg.models.layers.prelu import PReLU


@pytest.mark.parametrize('slope', [-0.5, 0.0, 0.25, 0.75, 1.5])
@pytest.mark.parametrize('shape', [(7,), (3, 5), (2, 4, 6)])
def test_values_and_gradients(slope, shape):
    ours, theirs = PReLU(init=slope), nn.PReLU(init=slope)
    x = torch.randn(shape)
    x.view(-1)[0] = 0.0
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    gradient = torch.randn(shape)
    first, second = ours(a), theirs(b)
    assert torch.equal(first, second)
    first.backward(gradient)
    second.backward(gradient)
    torch.testing.assert_close(a.grad, b.grad, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, rtol=1e-5, atol=1e-6)


def test_numeric_gradient():
    layer = PReLU().double()
    x = torch.tensor([-2.0, -0.5, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, _: layer(x), (x, layer.weight))


def test_mixed_precision_and_state():
    layer, x = PReLU(), torch.randn(64, 64, dtype=torch.bfloat16)
    with torch.autocast('cpu', torch.bfloat16):
        out = layer(x)
        out.float().sum().backward()
    assert out.dtype == torch.bfloat16 and layer.weight.grad.dtype == torch.float32
    expected = x.float().clamp(max=0).sum()
    assert layer.weight.grad.item() == pytest.approx(expected.item(), rel=1e-2)
    assert PReLU().state_dict().keys() == nn.PReLU().state_dict().keys()
    several = PReLU(3)
    assert torch.equal(several(torch.ones(2, 3)), torch.ones(2, 3))
