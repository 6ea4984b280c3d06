# SPDX-License-Identifier: Apache-2.0
"""Whether a video answers a query, against loops."""

import copy

import pytest
import torch
import torch.nn.functional as F
from systems import read

from vtg.models.auxiliary import Answerability
from vtg.registry import MODELS
from vtg.structures import MomentList
from vtg.utils import ConfigError

CLIPS, WORDS = (12, 7, 9), (5, 1, 4)


@pytest.fixture
def module(toy, shaken):
    return shaken(Answerability(toy.dim, weight=0.3))


def by_hand(module, memory, text, row, word_row):
    pair = (memory[row, : CLIPS[row]].mean(0), text[word_row, : WORDS[word_row]].mean(0))
    joined = F.layer_norm(torch.cat(pair), (2 * module.dim,), module.norm.weight, module.norm.bias)
    return (joined @ module.score.weight[0] + module.score.bias[0]).item()


def paired(state):
    """With the text of the next sample; the second pair is of one video."""
    valid = torch.tensor([True, False, True])
    return state.update(negative=state.roll_text(), negative_valid=valid)


def test_loss_by_hand(toy, module):
    state = paired(toy.state())
    matching = [by_hand(module, state.memory, state.text, b, b) for b in range(3)]
    others = [by_hand(module, state.memory, state.text, b, (b + 1) % 3) for b in (0, 2)]
    terms = [F.softplus(torch.tensor(-x)) for x in matching]
    terms += [F.softplus(torch.tensor(x)) for x in others]
    loss = module.loss(state)['loss_answerability']
    assert loss.item() == pytest.approx(0.3 * sum(terms).item() / 5, rel=1e-4)


def test_padding_does_not_count(toy, module):
    state = toy.state()
    torch.testing.assert_close(module.logits(toy.scrambled(state)), module.logits(state))


@pytest.mark.parametrize('scale', [True, False])
def test_scores_of_a_query_are_scaled_alike(toy, shaken, scale):
    module = shaken(Answerability(toy.dim, scale_scores=scale))
    state, scores = toy.state(), torch.rand(3, 4)
    moments = MomentList(torch.rand(3, 4, 2), scores, torch.ones(3, 4).bool())
    found = module.revise(state, {'some': moments})['some']
    factor = module.logits(state).sigmoid().unsqueeze(-1) if scale else torch.ones(3, 1)
    torch.testing.assert_close(found.scores, scores * factor)


@pytest.mark.parametrize('system', ['qd_detr', 'flashvtg', 'cg_detr'])
def test_it_learns_beside_any_system_with_negatives(toy, model_config, system):
    cfg = model_config(system)
    cfg['auxiliary'] = {**(cfg.get('auxiliary') or {}), 'answerable': {'type': 'Answerability'}}
    model = MODELS.build(cfg)
    losses = model(**model.data_preprocessor(toy.batch(), True), mode='loss')
    losses['loss_answerability'].backward()
    assert model.auxiliary.answerable.score.weight.grad.abs().sum() > 0
    cfg = model_config(system)
    cfg['auxiliary'] = {'answerable': {'type': 'Answerability'}}
    cfg['negatives'] = None
    with pytest.raises(ConfigError, match=r'would always be 0'):
        MODELS.build(cfg)


@pytest.fixture
def model_config():
    def config(system):
        cfg = copy.deepcopy(read(system))
        cfg['defaults'].update(dim=16, num_heads=2, hidden_dim=16)
        cfg['video_projector']['in_dim'], cfg['text_projector']['in_dim'] = 10, 8
        return cfg

    return config
