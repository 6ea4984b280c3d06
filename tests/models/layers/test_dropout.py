# SPDX-License-Identifier: Apache-2.0
"""The dropout of the toolbox."""

import pytest
import torch
from torch import nn

from vtg.models.layers import Dropout, DropPath, ProjectedAttention, dropout, residual_noise
from vtg.models.layers.attention import attend


@pytest.mark.parametrize('shape', [(400, 500), (499, 401), (1, 250001)])
@pytest.mark.parametrize('p', [0.1, 0.5, 0.9])
def test_share_and_mean(shape, p):
    x = torch.full(shape, 3.0)
    kept = dropout(x, p)
    values = kept.unique().tolist()
    assert values == pytest.approx([0.0, 3 / (1 - p)], rel=1e-3)
    # The factor makes up for the rounding of p: the mean is that of x without a bias.
    spread = 5 * (p * (1 - p) / x.numel()) ** 0.5
    assert (kept == 0).double().mean().item() == pytest.approx(p, abs=spread + 2**-17)
    assert kept.double().mean().item() == pytest.approx(3, rel=spread / (1 - p))


def test_elements_are_independent():
    # Four neighbours share a draw, so look at pairs at the distances 1 to 4, along both axes.
    kept = dropout(torch.ones(2000, 400), 0.5).sub(1)
    for axis in (0, 1):
        for distance in (1, 2, 3, 4):
            product = kept * kept.roll(distance, axis)
            assert abs(product.mean().item()) < 5 / kept.numel() ** 0.5


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float64])
def test_gradient_passes_where_values_do(dtype):
    x = torch.randn(30, 40, dtype=dtype).requires_grad_()
    y = dropout(x, 0.3)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == dtype
    assert torch.equal(y == 0, x.grad == 0)
    assert x.grad.max().item() == pytest.approx(1 / 0.7, rel=1e-2)


def test_follows_the_seed_and_the_state_of_the_generator():
    x = torch.ones(7, 9)
    state = torch.get_rng_state()
    first, second = dropout(x, 0.5), dropout(x, 0.5)
    assert not torch.equal(first, second)
    torch.set_rng_state(state)
    assert torch.equal(dropout(x, 0.5), first) and torch.equal(dropout(x, 0.5), second)


@pytest.mark.parametrize('p', [1e-7, 1 - 1e-7])
def test_rates_near_the_ends_are_finite(p):
    assert dropout(torch.ones(100, 100), p).isfinite().all()


@pytest.mark.parametrize('shape', [(), (0,), (3, 0), (1,), (5, 3)])
def test_any_shape(shape):
    x = torch.ones(shape)
    assert dropout(x, 0.5).shape == x.shape
    assert DropPath(0.5)(torch.ones(4, *shape)).shape == (4, *shape)


def test_costs_nothing_where_nothing_is_dropped():
    x = torch.randn(3, 4)
    layer = Dropout(0.5)
    assert isinstance(layer, nn.Dropout) and layer.eval()(x) is x
    layer.train().p = 0.0
    assert layer(x) is x
    assert torch.equal(dropout(x, 1.0), torch.zeros_like(x))


def test_drop_path_drops_whole_samples_and_keeps_the_mean():
    drop, x = DropPath(0.25), torch.ones(20000, 2, 3)
    rows = drop(x).flatten(1)
    assert rows.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert (rows == rows[:, :1]).all()
    assert rows.mean().item() == pytest.approx(1, abs=0.02)
    assert torch.equal(drop.eval()(x), x) and torch.equal(DropPath(0.0)(x), x)


def test_residual_noise_combines_both():
    kinds = [type(layer).__name__ for layer in residual_noise(0.1, 0.2)]
    assert kinds == ['DropPath', 'Dropout']
    assert [type(layer).__name__ for layer in residual_noise(0.0, 0.2)] == ['Dropout']
    x = torch.randn(2, 3)
    assert torch.equal(residual_noise()(x), x)


def naive(query, key, value, allowed):
    """Attention of every sample and head alone."""
    out = torch.zeros(*query.shape[:3], value.shape[-1])
    allowed = allowed.expand(*query.shape[:3], key.shape[2])
    for b in range(len(query)):
        for h in range(query.shape[1]):
            logits = query[b, h] @ key[b, h].T / query.shape[-1] ** 0.5
            weights = logits.masked_fill(~allowed[b, h], -torch.inf).softmax(-1)
            out[b, h] = weights @ value[b, h]
    return out


@pytest.mark.parametrize('shape', [(2, 1, 1, 6), (2, 3, 5, 6)])
@pytest.mark.parametrize('p', [0.0, 1e-9])
def test_attention_with_and_without_dropout(shape, p):
    query, key = torch.randn(2, 3, 5, 8), torch.randn(2, 3, 6, 8)
    value, allowed = torch.randn(2, 3, 6, 4), torch.rand(shape) > 0.4
    allowed[..., 0] = True
    # A share of 2^-16 of the weights may be dropped; at this seed none is.
    out = attend(query, key, value, allowed, p)
    assert torch.allclose(out, naive(query, key, value, allowed), atol=3e-5, rtol=3e-5)


def test_attention_drops_weights_and_keeps_the_mean():
    query, key = torch.randn(1, 2, 3, 4), torch.randn(1, 2, 5, 4)
    value = torch.randn(1, 2, 5, 4)
    many = [x.expand(4000, -1, -1, -1) for x in (query, key, value)]
    dropped = attend(*many, p=0.4)
    assert not torch.equal(dropped[0], dropped[1])
    assert torch.allclose(dropped.mean(0), attend(query, key, value)[0], atol=0.1)


@pytest.mark.parametrize('same', ['query and key', 'key and value', 'all', 'none'])
def test_projected_attention_is_that_of_pytorch(same):
    ours = ProjectedAttention(8, 2)
    nn.init.normal_(ours.in_proj_bias)
    theirs = nn.MultiheadAttention(8, 2, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    query, key, value = (torch.randn(3, 5, 8) for _ in range(3))
    key = query if same in ('query and key', 'all') else key
    value = key if same in ('key and value', 'all') else value
    mask = torch.arange(5) < torch.tensor([5, 2, 3])[:, None]
    blocked = (torch.rand(3, 2, 5, 5) > 0.6) & (torch.arange(5) > 0)
    expected = theirs(
        query, key, value, key_padding_mask=~mask, attn_mask=blocked.flatten(0, 1)
    )[0]  # fmt: skip
    assert torch.allclose(ours(query, key, value, mask, blocked), expected, atol=1e-6)


def test_attention_stores_no_weights_without_dropout():
    def largest(rate: float) -> int:
        layer, x = ProjectedAttention(8, 2, rate), torch.randn(1, 300, 8)
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: sizes.append(tensor.numel()) or tensor, lambda tensor: tensor
        ):
            layer(x, x, x)
        return max(sizes)

    assert largest(0.0) <= 300 * 8 * 3 < 300 * 300 <= largest(0.1)


def test_autocast_keeps_attention_in_half_precision():
    layer, x = ProjectedAttention(8, 2, 0.1), torch.randn(2, 6, 8)
    with torch.autocast('cpu', torch.bfloat16):
        out = layer(x, x, x)
        assert out.dtype == torch.bfloat16 and dropout(out, 0.5).dtype == torch.bfloat16
    out.float().sum().backward()
    assert layer.in_proj_weight.grad.isfinite().all()
