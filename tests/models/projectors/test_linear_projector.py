# SPDX-License-Identifier: Apache-2.0
"""The input projection."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from vtg.models.projectors import LinearProjector
from vtg.registry import MODELS


def test_blocks_by_hand(shaken):
    projector = shaken(LinearProjector(5, 8, num_layers=2)).eval()
    norm1, _, linear1, _, norm2, _, linear2 = projector.layers
    x, mask = torch.randn(2, 3, 5), torch.ones(2, 3).bool()
    y = F.layer_norm(x, (5,), norm1.weight, norm1.bias) @ linear1.weight.T + linear1.bias
    y = F.layer_norm(y.clamp(min=0), (8,), norm2.weight, norm2.bias) @ linear2.weight.T
    assert torch.allclose(projector.project(x, mask), y + linear2.bias, atol=1e-5)


def test_last_block_has_no_activation_and_dropout_comes_before_each_linear():
    kinds = [type(layer).__name__ for layer in LinearProjector(5, 8, 3).layers]
    block = ['LayerNorm', 'Dropout', 'Linear']
    assert kinds == [*block, 'ReLU', *block, 'ReLU', *block]
    one = LinearProjector(5, 8, 1)
    assert [type(layer).__name__ for layer in one.layers] == block and one.dim == 8
    projector, x = LinearProjector(5, 8, dropout=0.5), torch.randn(1, 4, 5)
    assert not torch.equal(projector.project(x, None), projector.project(x, None))


def test_positions_do_not_mix(toy):
    projector, state = LinearProjector(10, 8).eval(), toy.state()
    toy.assert_padding_free(
        lambda s: {'video': (projector.project(s.video_features, s.video_mask), s.video_mask)},
        state,
    )


def test_initialisation():
    projector = MODELS.build(dict(type='LinearProjector', in_dim=60, dim=40, xavier=True))
    linears = [layer for layer in projector.layers if isinstance(layer, nn.Linear)]
    for layer, gain in zip(linears, (math.sqrt(2), 1)):
        limit = gain * math.sqrt(6 / (layer.in_features + 40))
        assert 0.85 * limit < layer.weight.abs().max() <= limit and not layer.bias.any()
    plain = LinearProjector(60, 40).layers[2]
    assert plain.weight.abs().max() <= 1 / math.sqrt(60) and plain.bias.any()


def test_gradients_reach_every_parameter(without_gradient):
    projector = LinearProjector(10, 8)
    projector.project(torch.randn(2, 3, 10), None).square().sum().backward()
    assert without_gradient(projector) == []
