# SPDX-License-Identifier: Apache-2.0
"""Element-wise functions."""

import math

import pytest
import torch

from vtg.models.layers.functional import inverse_sigmoid


def test_inverse_sigmoid() -> None:
    x = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)
    assert torch.allclose(inverse_sigmoid(x).sigmoid(), x)
    edges = inverse_sigmoid(torch.tensor([-1.0, 0.0, 1e-4, 1.0, 2.0]))
    limit = math.log(1e3)
    assert edges.tolist() == pytest.approx([-limit, -limit, -limit + 1e-4, limit, limit], abs=1e-5)
    assert inverse_sigmoid(torch.tensor(0.0), eps=1e-5).item() == pytest.approx(-math.log(1e5))


def test_gradient_is_finite_at_the_edges() -> None:
    x = torch.tensor([0.0, 0.5, 1.0], requires_grad=True)
    inverse_sigmoid(x).sum().backward()
    assert x.grad.isfinite().all()
