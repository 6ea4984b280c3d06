# SPDX-License-Identifier: Apache-2.0
"""Queries that take the text in through a gate, against attention to a single word."""

import pytest
import torch
from torch import nn

from vtg.models.layers import GatedSpanDecoder, GatedTextFusion, SpanDecoder

DIM, QUERIES = 8, 4


def test_gate_against_attention_to_one_word(shaken):
    gate = shaken(GatedTextFusion(DIM, nn.Identity()), 0.3).eval()
    full = nn.MultiheadAttention(DIM, 1, batch_first=True).eval()
    with torch.no_grad():
        full.in_proj_weight[2 * DIM :] = gate.text_value.weight
        full.in_proj_bias[2 * DIM :] = gate.text_value.bias
    full.out_proj = gate.text_out
    queries, text = torch.randn(2, QUERIES, DIM), torch.randn(2, DIM)
    with torch.no_grad():
        word = text.unsqueeze(1)
        taken = full(queries, word, word)[0]
        mixed = queries + taken
        plain = nn.MultiheadAttention(DIM, 1, batch_first=True).eval()
        plain.load_state_dict(gate.attention.state_dict())
        mixed = plain(mixed, mixed, mixed)[0]
        opened = torch.sigmoid(queries * taken) * mixed
        expected = gate.norm(queries + gate.out(opened).clamp(min=0))
        assert torch.allclose(gate(queries, text), expected, atol=1e-5)


def test_text_is_dropped_for_single_queries_in_training():
    gate = GatedTextFusion(DIM, nn.Identity(), attention_dropout=0.5).train()
    gate.attention.dropout = 0.0
    with torch.no_grad():
        gate.text_out.bias.zero_()
        gate.text_out.weight.copy_(torch.eye(DIM))
        value = gate.text_value(torch.ones(1, DIM))
    seen = []
    gate.out.register_forward_hook(lambda module, args, out: seen.append(args[0]))
    mixes = []
    hook = gate.attention.register_forward_pre_hook
    hook(lambda module, args: mixes.append(args[0]))
    gate(torch.zeros(1, 200, DIM), torch.ones(1, DIM))
    (mixed,) = mixes
    dropped = (mixed == 0).all(dim=-1)
    assert 60 < dropped.sum() < 140
    assert torch.allclose(mixed[~dropped], 2 * value.expand_as(mixed[~dropped]), atol=1e-3)


def make(shaken, **options):
    defaults = dict(num_layers=2, num_heads=2, hidden_dim=16, dropout=0.0, residual_dropout=0.0)
    return shaken(GatedSpanDecoder(DIM, **{**defaults, **options}), 0.3).eval()


def inputs(state):
    batch, clips = state.video_mask.shape
    return dict(
        content=torch.randn(batch, QUERIES, DIM),
        reference=torch.rand(batch, QUERIES, 2) * 0.8 + 0.1,
        memory=torch.randn(batch, clips, DIM),
        memory_mask=state.video_mask,
        memory_position=torch.randn(batch, clips, DIM),
    )


@pytest.mark.parametrize('mask_padding', [True, False])
def test_text_vector_is_the_maximum_of_the_words(toy, shaken, mask_padding):
    decoder = make(shaken, mask_padding=mask_padding)
    state = toy.state()
    vector = decoder.text_vector(state)
    for b, count in enumerate(state.text_mask.sum(dim=1).tolist()):
        words = state.projected_text[b, : count if mask_padding else None]
        assert torch.equal(vector[b], words.max(dim=0).values)


def test_only_the_first_layer_reads_the_text(toy, shaken):
    decoder = make(shaken)
    state = toy.state()
    state = state.update(projected_text=state.projected_text[..., :DIM])
    other = state.update(projected_text=state.projected_text + 1)
    given = inputs(state)
    with torch.no_grad():
        found, changed = (decoder(**given, state=s).hidden for s in (state, other))
        plain = SpanDecoder(DIM, 2, 2, 16, 0.0, 0.0, 0.0, 'relu', init='xavier').eval()
        weights = {k: v for k, v in decoder.state_dict().items() if '.gate.' not in k}
        plain.load_state_dict(weights)
        decoder.layers[0].gate = None
        assert torch.allclose(decoder(**given, state=state).hidden, plain(**given).hidden)
    assert not torch.allclose(found, changed, atol=1e-3)
    assert not any('gate' in name for name, _ in decoder.layers[1].named_parameters())
