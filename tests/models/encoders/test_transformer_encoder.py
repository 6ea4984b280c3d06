# SPDX-License-Identifier: Apache-2.0
"""Self-attention over clips, and optionally words and a context token."""

import pytest
import torch

from vtg.models.encoders import TransformerEncoder
from vtg.models.extras import Context

OPTIONS = dict(num_layers=2, num_heads=4, hidden_dim=32, dropout=0.0, drop_path=0.0)


def test_memory_is_the_stack_on_the_clips(toy, shaken):
    encoder, state = shaken(TransformerEncoder(toy.dim, **OPTIONS)), toy.state()
    out = encoder(state)
    expected = encoder.layers(state.fused, state.video_mask, state.video_pos)
    assert set(out) == {'memory'} and torch.equal(out['memory'], expected)


@pytest.mark.parametrize('context', [None, 'learned', 'given'])
@pytest.mark.parametrize('words', [False, True])
def test_padding_does_not_matter(toy, shaken, context, words):
    encoder = shaken(TransformerEncoder(toy.dim, context_token=context, **OPTIONS))
    state = toy.state(clips=(12, 1, 9), words=(1, 6, 4))
    if words:
        state = state.update(fused_text=torch.randn_like(state.text))
    if context == 'given':
        state = state.update(context=Context(torch.randn(3, toy.dim)))

    def run(s):
        out = encoder(s)
        values = {'memory': (out['memory'], s.video_mask)}
        if words:
            values['memory_text'] = (out['memory_text'], s.text_mask)
        if context:
            values['context'] = (out['context'].token, None)
        return values

    toy.assert_padding_free(run, state)


def test_order_of_the_sequence(toy, shaken):
    encoder = shaken(TransformerEncoder(toy.dim, context_token='learned', **OPTIONS))
    state = toy.state()
    state = state.update(fused_text=torch.randn_like(state.text))
    token = encoder.context.expand(3, 1, -1)
    tokens = torch.cat((token, state.fused, state.fused_text), dim=1)
    mask = torch.cat((torch.ones(3, 1).bool(), state.video_mask, state.text_mask), dim=1)
    place = encoder.context_position.expand(3, 1, -1)
    position = torch.cat((place, state.video_pos, state.text_pos), dim=1)
    encoded, out = encoder.layers(tokens, mask, position), encoder(state)
    assert torch.equal(out['context'].token, encoded[:, 0])
    assert torch.equal(out['memory'], encoded[:, 1:13])
    assert torch.equal(out['memory_text'], encoded[:, 13:])


def test_context_can_be_added_to_the_memory(toy, shaken):
    options = dict(context_token='learned', **OPTIONS)
    plain = shaken(TransformerEncoder(toy.dim, **options))
    added = TransformerEncoder(toy.dim, add_context=True, **options)
    added.load_state_dict(plain.state_dict())
    state = toy.state()
    a, b = plain(state), added(state)
    assert torch.allclose(b['memory'], a['memory'] + a['context'].token.unsqueeze(1))


def test_declarations(toy):
    assert 'context' in TransformerEncoder(toy.dim, context_token='learned').provides
    given = TransformerEncoder(toy.dim, context_token='given')
    assert 'context' in given.requires and 'context' in given.provides
    assert 'context' not in TransformerEncoder(toy.dim).provides


def test_initialisation(toy):
    first, second = (
        layer.state_dict() for layer in TransformerEncoder(toy.dim, **OPTIONS).layers.layers
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    drawn = TransformerEncoder(toy.dim, init='xavier', **OPTIONS).layers.layers
    assert not torch.equal(drawn[0].attention.in_proj_weight, drawn[1].attention.in_proj_weight)


def test_gradients_reach_every_parameter(toy, shaken, without_gradient):
    encoder = shaken(TransformerEncoder(toy.dim, context_token='learned', **OPTIONS))
    out = encoder(toy.state())
    weight = torch.randn(toy.dim)
    ((out['memory'] * weight).square().sum() + (out['context'].token * weight).sum()).backward()
    assert without_gradient(encoder) == []
