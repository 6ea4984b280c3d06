# SPDX-License-Identifier: Apache-2.0
"""Attention without input projections."""

import math

import pytest
import torch

from vtg.models.layers import RawAttention
from vtg.models.layers.attention import (
    attention_mask,
    merge_heads,
    split_heads,
    tiled_padding_mask,
)


def naive(module, query, key, value, visible, gate):
    """One query, one head at a time; ``visible(sample, head, query, key)`` tells what is seen."""
    heads = module.num_heads
    wide, narrow = query.shape[-1] // heads, value.shape[-1] // heads
    out = torch.zeros(*query.shape[:2], value.shape[-1])
    for b in range(len(query)):
        for head in range(heads):
            part = slice(head * wide, (head + 1) * wide)
            rest = slice(head * narrow, (head + 1) * narrow)
            for i in range(query.shape[1]):
                seen = [j for j in range(key.shape[1]) if visible(b, head, i, j)]
                scores = [query[b, i, part] @ key[b, j, part] / math.sqrt(wide) for j in seen]
                weights = torch.stack(scores).softmax(0) * gate[b, i]
                out[b, i, rest] = sum(w * value[b, j, rest] for w, j in zip(weights, seen))
    return out @ module.out_proj.weight.T + module.out_proj.bias


def test_heads_are_slices_of_the_channels():
    x = torch.arange(12.0).view(1, 2, 6)
    assert split_heads(x, 3)[0, 1].tolist() == [[2, 3], [8, 9]]
    assert torch.equal(merge_heads(split_heads(x, 3)), x)


@pytest.mark.parametrize('key_dim', [8, 16])  # the decoder's queries are twice as wide as values
def test_against_loops(key_dim):
    attention = RawAttention(8, 2).eval()
    query, key = torch.randn(2, 3, key_dim), torch.randn(2, 4, key_dim)
    value, gate = torch.randn(2, 4, 8), torch.rand(2, 3)
    mask = torch.tensor([[True, True, True, True], [True, True, False, False]])
    blocked = torch.zeros(3, 4, dtype=torch.bool)
    blocked[1, 0] = True
    with torch.no_grad():
        out = attention(query, key, value, mask, blocked, gate)
        expected = naive(
            attention, query, key, value, lambda b, h, i, j: mask[b, j] and not blocked[i, j], gate
        )
    assert torch.allclose(out, expected, atol=1e-6)


def test_the_gate_acts_between_softmax_and_output_projection():
    attention = RawAttention(8, 2).eval()
    query, key = torch.randn(1, 2, 8), torch.randn(1, 3, 8)
    plain = attention(query, key, key)
    assert torch.equal(attention(query, key, key, gate=torch.ones(1, 2)), plain)
    closed = attention(query, key, key, gate=torch.zeros(1, 2))
    assert torch.allclose(closed, attention.out_proj.bias.expand(1, 2, 8))
    half = attention(query, key, key, gate=torch.full((1, 2), 0.5))
    assert torch.allclose(half, (plain + closed) / 2, atol=1e-6)


@pytest.mark.parametrize('shape', [(3, 4), (2, 3, 4), (2, 5, 3, 4)])
def test_masks_of_every_shape(shape):
    blocked, key_mask = torch.rand(shape) > 0.5, torch.rand(2, 4) > 0.3
    allowed = attention_mask(key_mask, blocked).expand(2, 5, 3, 4)
    for b in range(2):
        for head in range(5):
            index = {2: (), 3: (b,), 4: (b, head)}[len(shape)]
            assert torch.equal(allowed[b, head], ~blocked[index] & key_mask[b])
    assert attention_mask(None, None) is None


def test_padding_mask_in_the_order_of_the_released_code():
    queries = torch.tensor([[True, True], [True, False], [True, False]])
    keys = torch.tensor([[True, True, False], [True, False, False], [True, True, True]])
    heads = 2
    blocked = tiled_padding_mask(queries, keys, heads)
    assert blocked.shape == (3, heads, 2, 3)
    for b in range(3):
        for head in range(heads):
            other = (b * heads + head) % 3
            for i in range(2):
                for j in range(3):
                    expected = not queries[other, i] and not keys[other, j]
                    assert blocked[b, head, i, j] == expected


def test_dropout_only_in_training():
    attention, x = RawAttention(8, 2, dropout=0.5), torch.randn(1, 6, 8)
    assert not torch.equal(attention(x, x, x), attention(x, x, x))
    attention.eval()
    assert torch.equal(attention(x, x, x), attention(x, x, x))


def test_initialisation():
    attention = RawAttention(64)
    bound = math.sqrt(6 / 128)  # Xavier-uniform
    weight = attention.out_proj.weight
    assert 0.9 * bound < weight.abs().max() <= bound
    assert 0 < attention.out_proj.bias.abs().max() <= 1 / math.sqrt(64)  # PyTorch's default
