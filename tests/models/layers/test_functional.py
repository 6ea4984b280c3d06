# SPDX-License-Identifier: Apache-2.0
"""Functions that must not leave the range of half precision."""

import math

import pytest
import torch

from vtg.models.layers.functional import cosine, inverse_sigmoid, masked_softmax, unit

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


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


@pytest.mark.parametrize('dtype', DTYPES)
def test_masked_softmax(dtype) -> None:
    logits = torch.randn(2, 5).to(dtype).requires_grad_()
    mask = torch.tensor([[True, True, False, True, False], [False] * 5])
    weights = masked_softmax(logits, mask)
    assert weights.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    expected = logits[0][mask[0]].to(weights.dtype).softmax(0)
    assert torch.equal(weights[0][mask[0]], expected) and not weights[0][~mask[0]].any()
    assert torch.allclose(weights[1], torch.tensor(0.2, dtype=weights.dtype))
    weights[0, 0].backward()
    assert logits.grad.isfinite().all() and not logits.grad[1].any()


@pytest.mark.parametrize('dtype', DTYPES)
def test_directions(dtype) -> None:
    # The squares of 300 leave float16; the last vector is zero.
    x = torch.tensor([[300.0, 400.0], [1e-3, 0.0], [0.0, 0.0]]).to(dtype).requires_grad_()
    directions = unit(x)
    assert torch.allclose(
        directions, torch.tensor([[0.6, 0.8], [1, 0], [0, 0]], dtype=directions.dtype), atol=1e-3
    )
    assert torch.allclose(
        cosine(x, x[:1]), torch.tensor([1, 0.6, 0], dtype=directions.dtype), atol=1e-3
    )
    (directions.sum() + cosine(x, x[:1]).sum()).backward()
    assert x.grad.isfinite().all() and not x.grad[2].any()
