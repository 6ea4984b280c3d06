# SPDX-License-Identifier: Apache-2.0
"""The initialisation that DETR's code gives a whole transformer."""

import math

import pytest
import torch
from torch import nn

from vtg.models.layers import CrossAttentionLayer, EncoderStack, SpanDecoder, init_transformer
from vtg.utils import ConfigError


def test_xavier_draws_every_matrix_and_leaves_vectors_as_pytorch_makes_them():
    stack = EncoderStack(2, 32, 4, 64, dropout=0.0)
    init_transformer(stack, 'xavier')
    for name, parameter in stack.named_parameters():
        if parameter.ndim > 1:
            bound = math.sqrt(6 / sum(parameter.shape))
            assert parameter.abs().max() <= bound and parameter.std() > 0.4 * bound, name
    first, second = stack.layers
    assert not torch.equal(first.feed_forward[0].weight, second.feed_forward[0].weight)
    # Bias of a linear layer: uniform up to 1 / sqrt(fan in); of attention outputs: zero.
    assert 0 < first.feed_forward[0].bias.abs().max() <= 1 / math.sqrt(32)
    assert not first.attention.out_proj.bias.any() and not first.attention.in_proj_bias.any()
    assert first.feed_forward[1].weight == 0.25


def test_trunc_normal_and_none():
    layer = CrossAttentionLayer(32, 4, 64)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    init_transformer(layer, None)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    init_transformer(layer, 'trunc_normal')
    assert abs(layer.feed_forward[0].weight.std() - 0.02) < 0.002
    with pytest.raises(ConfigError, match='xavier, trunc_normal or None'):
        init_transformer(layer, 'kaiming')


def test_refinement_does_not_start_as_identity_but_without_bias():
    decoder = SpanDecoder(16, 2, 2, 32, init='xavier')
    assert decoder.refine[-1].weight.any() and not decoder.refine[-1].bias.any()
    plain = SpanDecoder(16, 2, 2, 32)
    assert not plain.refine[-1].weight.any()
    assert isinstance(plain.refine[0], nn.Linear)
