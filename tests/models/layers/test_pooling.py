# SPDX-License-Identifier: Apache-2.0
"""Pooling of sequences and of channels."""

import math

import torch

from vtg.models.layers import SummedLinear, WeightedPooling, masked_average


def test_weighted_pooling_by_hand_and_without_padding(toy, shaken):
    pooling, state = shaken(WeightedPooling(toy.dim)), toy.state()
    with torch.no_grad():
        pooled = pooling(state.text, state.text_mask)
        for b in range(3):
            words = state.text[b][state.text_mask[b]]
            weights = torch.stack([word @ pooling.weight[:, 0] for word in words]).softmax(0)
            expected = sum(weight * word for weight, word in zip(weights, words))
            assert torch.allclose(pooled[b], expected, atol=1e-5)
    toy.assert_padding_free(lambda s: {'p': (pooling(s.text, s.text_mask), None)}, state)


def test_masked_average():
    x = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [9.0, 9.0]], [[5.0, 5.0]] * 3])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_average(x, mask).tolist() == [[2.0, 4.0], [0.0, 0.0]]


def test_summed_linear_is_one_linear_unit(shaken):
    layer, x = shaken(SummedLinear(9)), torch.randn(2, 5, 9)
    weight, bias = layer.proj.weight.sum(0) / math.sqrt(9), layer.proj.bias.sum() / math.sqrt(9)
    assert torch.allclose(layer(x).squeeze(-1), x @ weight + bias, atol=1e-5)
