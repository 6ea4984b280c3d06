# SPDX-License-Identifier: Apache-2.0
"""The encoder with a context token and with words in its sequence."""

import pytest
import torch

from vtg.models.encoders import TransformerEncoder
from vtg.models.extras import Context


def encoder(**kwargs):
    options = dict(num_layers=2, num_heads=4, hidden_dim=32, dropout=0.0, drop_path=0.0)
    return TransformerEncoder(16, **{**options, **kwargs}).eval()


def outputs(model, state):
    values = model(state)
    found = {'memory': (values['memory'], state.video_mask)}
    if 'memory_text' in values:
        found['text'] = (values['memory_text'], state.text_mask)
    if 'context' in values:
        found['context'] = (values['context'].token, None)
    return found


def with_text(state):
    return state.update(fused_text=torch.randn_like(state.text))


def test_learned_token_stands_in_front_with_its_own_position(toy):
    state, model = toy.state(), encoder(context_token='learned')
    token = model.context.expand(3, 1, -1)
    with torch.no_grad():
        values = model(state)
        sequence = torch.cat((token, state.fused), dim=1)
        mask = torch.cat((torch.ones(3, 1, dtype=torch.bool), state.video_mask), dim=1)
        place = torch.cat((model.context_position.expand(3, 1, -1), state.video_pos), dim=1)
        expected = model.layers(sequence, mask, place)
    torch.testing.assert_close(values['context'].token, expected[:, 0])
    torch.testing.assert_close(values['memory'], expected[:, 1:])
    assert 'context' in model.provides and 'memory_text' not in values


def test_given_token_comes_from_the_state(toy):
    model = encoder(context_token='given')
    assert 'context' in model.requires and 'context' not in dict(model.named_parameters())
    state = toy.state().update(context=Context(torch.randn(3, 16)))
    with torch.no_grad():
        first = model(state)['memory']
        second = model(state.update(context=Context(torch.randn(3, 16))))['memory']
    assert not torch.allclose(first, second)


@pytest.mark.parametrize('token', ['learned', None])
@pytest.mark.parametrize('text', [True, False])
def test_padding_never_matters(toy, token, text):
    model = encoder(context_token=token)
    state = with_text(toy.state()) if text else toy.state()
    toy.assert_padding_free(lambda s: outputs(model, s), state)
