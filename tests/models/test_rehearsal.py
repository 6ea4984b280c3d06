# SPDX-License-Identifier: Apache-2.0
"""What the rehearsal says about parameters that nothing trains."""

import pytest
import torch
from systems import SYSTEMS, small_system

from vtg.models.checks import losses, padding_difference, shaken
from vtg.models.rehearsal import noise_batch, unused_parameters
from vtg.registry import MODELS


def beyond_attention(names):
    """Without the biases of attention keys, which a softmax takes out again."""
    return [name for name in names if not ('key' in name and name.endswith('bias'))]


def test_a_published_model_learns_all_over(sgdetr_config):
    model = MODELS.build(sgdetr_config())
    state = {name: value.clone() for name, value in model.state_dict().items()}
    seed = torch.random.get_rng_state()
    assert beyond_attention(unused_parameters(model)) == []
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), seed)


def test_what_nothing_trains_is_named(sgdetr_config):
    terms = ('label', 'giou', 'span', 'centerness')
    cfg = sgdetr_config({f'moment_head.dense_head.losses.{name}': None for name in terms})
    unused = beyond_attention(unused_parameters(MODELS.build(cfg)))
    assert unused and all(name.startswith('moment_head.dense_head.') for name in unused)
    cfg.moment_head.dense_head.losses = None
    model = MODELS.build(cfg)
    model.encoder.requires_grad_(False)  # frozen by intention
    assert not any(name.startswith('encoder.') for name in unused_parameters(model))


def test_noise_batch_has_the_widths_of_the_features(sgdetr_config):
    batch = noise_batch(MODELS.build(sgdetr_config()), clips=(4, 7, 5), words=(1, 2, 3))
    assert batch['video'].shape == (3, 7, 10) and batch['text'].shape == (3, 3, 8)
    assert batch['targets']['relevant'].any(dim=1).all()


@pytest.mark.parametrize('name', SYSTEMS)
def test_no_system_counts_padding(name):
    model = small_system(name)
    assert padding_difference(model) < 1e-5
    finding = losses(shaken(model))
    assert finding.passed, finding.text


def test_what_counts_padding_is_measured():
    assert padding_difference(small_system('qd_detr/qvhl_official')) > 1e-3
