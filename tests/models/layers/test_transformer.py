# SPDX-License-Identifier: Apache-2.0
"""Transformer layers."""

import math

import torch
import torch.nn.functional as F

from vtg.models.layers import CrossAttentionLayer, EncoderLayer, EncoderStack

DIM, HEADS = 8, 2
MASK = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4])


def naive_attention(module, query, key, value):
    """``nn.MultiheadAttention`` of one sample, head by head, from its weights."""
    wq, wk, wv = module.in_proj_weight.chunk(3)
    bq, bk, bv = module.in_proj_bias.chunk(3)
    q, k, v = query @ wq.T + bq, key @ wk.T + bk, value @ wv.T + bv
    size = DIM // HEADS
    heads = []
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        weights = (q[:, part] @ k[:, part].T / math.sqrt(size)).softmax(dim=-1)
        heads.append(weights @ v[:, part])
    return torch.cat(heads, dim=-1) @ module.out_proj.weight.T + module.out_proj.bias


def norm(layer, x):
    return F.layer_norm(x, (DIM,), layer.weight, layer.bias)


def test_encoder_layer_is_post_norm_on_real_clips_only(shaken):
    layer = shaken(EncoderLayer(DIM, HEADS, 16)).eval()
    x, position = torch.randn(3, 5, DIM), torch.randn(3, 5, DIM)
    with torch.no_grad():
        out = layer(x, MASK, position)
        for b, length in enumerate(MASK.sum(1)):
            own, place = x[b, :length], position[b, :length]
            a = naive_attention(layer.attention, own + place, own + place, own)
            y = norm(layer.norm1, own + a)
            y = norm(layer.norm2, y + layer.feed_forward(y))
            assert torch.allclose(out[b, :length], y, atol=1e-5)


def test_position_is_optional():
    layer, x = EncoderLayer(DIM, HEADS, 16).eval(), torch.randn(3, 5, DIM)
    assert torch.allclose(layer(x, MASK), layer(x, MASK, torch.zeros_like(x)), atol=1e-6)


def test_stack_applies_equal_layers_one_after_the_other(shaken):
    stack = EncoderStack(3, DIM, HEADS, 16).eval()
    first = stack.layers[0].state_dict()
    for layer in stack.layers[1:]:
        assert all(torch.equal(value, first[key]) for key, value in layer.state_dict().items())
    shaken(stack)
    x, position = torch.randn(3, 5, DIM), torch.randn(3, 5, DIM)
    expected = x
    for layer in stack.layers:
        expected = layer(expected, MASK, position)
    assert torch.equal(stack(x, MASK, position), expected)


def test_noise_acts_on_the_branches_in_training_only():
    x = torch.randn(3, 5, DIM)
    for options in ({'drop_path': 1.0 - 1e-9}, {'residual_dropout': 1.0}):
        layer = EncoderLayer(DIM, HEADS, 16, dropout=0.0, **{'drop_path': 0.0, **options})
        both = norm(layer.norm2, norm(layer.norm1, x))  # nothing is left of the branches
        assert torch.allclose(layer(x, MASK)[MASK], both[MASK], atol=1e-5)
        assert not torch.allclose(layer.eval()(x, MASK)[MASK], both[MASK], atol=1e-2)


def test_cross_attention_layer(shaken):
    layer = shaken(CrossAttentionLayer(DIM, HEADS, 16)).eval()
    x, position = torch.randn(3, 4, DIM), torch.randn(3, 4, DIM)
    source, source_position = torch.randn(3, 5, DIM), torch.randn(3, 5, DIM)
    with torch.no_grad():
        out = layer(x, position, source, source_position, MASK)
        for b, length in enumerate(MASK.sum(1)):
            key = (source + source_position)[b, :length]
            a = x[b] + naive_attention(layer.attention, x[b] + position[b], key, source[b, :length])
            expected = norm(layer.norm2, a + layer.feed_forward(norm(layer.norm1, a)))
            assert torch.allclose(out[b], expected, atol=1e-5)


def test_blocked_words_are_not_seen(shaken):
    layer = shaken(CrossAttentionLayer(DIM, HEADS, 16)).eval()
    x, source = torch.randn(2, 4, DIM), torch.randn(2, 5, DIM)
    zero, mask = torch.zeros(2, 4, DIM), torch.ones(2, 5).bool()
    blocked = torch.zeros(2, HEADS, 4, 5, dtype=torch.bool)
    blocked[..., 3:] = True
    out = layer(x, zero, source, torch.zeros_like(source), mask, blocked)
    short = source[:, :3]
    expected = layer(x, zero, short, torch.zeros_like(short), mask[:, :3])
    assert torch.allclose(out, expected, atol=1e-6)
