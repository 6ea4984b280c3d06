# SPDX-License-Identifier: Apache-2.0
"""Two streams with experts."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.necks import ConvExpert, TaskDecoupledUnit
from vtg.registry import MODELS
from vtg.utils import ConfigError

SIZES = dict(dim=16, num_heads=4, hidden_dim=32, dropout=0.0)
EXPERTS = {
    'identity': dict(type='IdentityExpert'),
    'linear': dict(type='LinearExpert', dim=16),
    'conv': dict(type='ConvExpert', dim=16),
    'transformer': dict(type='TransformerExpert', **SIZES),
}


def unit(moment='conv', saliency='identity', **options):
    return TaskDecoupledUnit(
        moment_expert=EXPERTS[moment], saliency_expert=EXPERTS[saliency], **SIZES, **options
    )


@pytest.mark.parametrize('moment', EXPERTS)
@pytest.mark.parametrize('saliency', ['identity', 'conv'])
def test_padding_does_not_matter(toy, shaken, moment, saliency):
    neck = shaken(unit(moment, saliency))

    def run(s):
        return {name: (stream, s.video_mask) for name, stream in neck(s).items()}

    toy.assert_padding_free(run, toy.state(clips=(12, 1, 9)), 2e-5)


def test_streams_by_hand(toy, shaken):
    neck, state = shaken(unit('linear', 'identity')), toy.state()
    out = neck(state)
    assert set(out) == set(neck.provides)
    mapped = neck.saliency_map(state.memory)
    shared = neck.pool(neck.shared(mapped, state.video_mask, state.video_pos), state.video_mask)
    assert torch.equal(out['saliency_memory'], mapped * shared)
    mapped = neck.moment_map(state.memory)
    shared = neck.pool(neck.shared(mapped, state.video_mask, state.video_pos), state.video_mask)
    assert torch.equal(out['moment_memory'], neck.moment_expert.linear(mapped) * shared)


def test_convolution_by_hand(shaken):
    expert, x = shaken(ConvExpert(4)), torch.randn(1, 7, 4)
    mask = torch.arange(7)[None] < 5
    out = expert(x, mask, None)
    for i in range(5):
        total = sum(
            expert.depthwise.weight[:, 0, tap] * x[0, i + tap - 2]
            for tap in range(5)
            if 0 <= i + tap - 2 < 5
        )
        normed = F.layer_norm(total, (4,), expert.norm.weight, expert.norm.bias)
        assert torch.allclose(out[0, i], expert.pointwise(normed), atol=1e-5)


def test_official_convolution_is_constant_on_real_clips(toy, shaken):
    expert, state = shaken(ConvExpert(16, conv_mask='padding')), toy.state()
    out = expert(state.memory, state.video_mask, state.video_pos)
    constant = expert.pointwise(expert.norm.bias)
    real = out[state.video_mask]
    assert torch.allclose(real, constant.expand_as(real), atol=1e-6)
    real.square().sum().backward()
    assert not expert.depthwise.weight.grad.any() and not expert.norm.weight.grad.any()
    assert expert.norm.bias.grad.any()


def test_initialisation():
    torch.manual_seed(1)
    expert = ConvExpert(64, norm_init='xavier')
    bound = (6 / 65) ** 0.5
    for vector in (expert.norm.weight, expert.norm.bias):
        assert vector.abs().max() <= bound and vector.std().item() == pytest.approx(
            bound / 3**0.5, rel=0.3
        )
    plain = ConvExpert(64)
    assert (plain.norm.weight == 1).all() and (plain.norm.bias == 0).all()
    drawn = unit(init='xavier')
    first, second = drawn.shared.layers
    assert not torch.equal(first.attention.in_proj_weight, second.attention.in_proj_weight)


@pytest.mark.parametrize('moment', ['linear', 'conv', 'transformer'])
def test_gradients_reach_every_parameter(toy, shaken, without_gradient, moment):
    neck = shaken(unit(moment, 'identity'))
    weight = torch.randn(16)
    sum((stream * weight).square().sum() for stream in neck(toy.state()).values()).backward()
    assert without_gradient(neck) == []


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match="conv_mask must be valid or padding, not 'none'"):
        ConvExpert(4, conv_mask='none')
    with pytest.raises(ConfigError, match="norm_init must be ones or xavier, not 'zeros'"):
        ConvExpert(4, norm_init='zeros')
    assert MODELS.build(EXPERTS['identity'])(1, None, None) == 1
