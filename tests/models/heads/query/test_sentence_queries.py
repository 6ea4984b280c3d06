# SPDX-License-Identifier: Apache-2.0
"""Queries that start from the sentence."""

import pytest
import torch

from vtg.models.extras import QuerySentence
from vtg.models.heads import SentenceQueries


def make(toy, shaken, **options):
    source = SentenceQueries(toy.dim, num_queries=4, num_iterations=2, hidden_dim=8, **options)
    return shaken(source, 0.3).eval()


def with_sentence(toy):
    state = toy.state()
    return state.update(query_sentence=QuerySentence(torch.randn(3, toy.dim)))


@pytest.mark.parametrize('mask_padding', [True, False])
def test_identical_slots_are_the_mean_clip(toy, shaken, mask_padding):
    source = make(toy, shaken, identical=True, mask_padding=mask_padding)
    state, slots = with_sentence(toy), source.attention
    with torch.no_grad():
        found = source(state)
        values = slots.value(slots.norm_inputs(state.memory))
        for b, count in enumerate(state.video_mask.sum(dim=1).tolist()):
            mean = values[b, : count if mask_padding else None].mean(dim=0)
            one = state.extras[QuerySentence].vector[b]
            for _ in range(2):
                one = one + mean
                one = one + slots.mlp(slots.norm_mlp(one))
            expected = slots.norm_out(one) + source.slots
            assert torch.allclose(found.content[b], expected, atol=1e-5)
    assert torch.equal(found.reference[0], source.reference_logits.sigmoid())


def test_slots_that_differ_attend_to_different_clips(toy, shaken):
    source, state = make(toy, shaken), with_sentence(toy)
    start = state.extras[QuerySentence].vector.unsqueeze(1) + source.slots
    with torch.no_grad():
        expected = source.attention(start, state.memory, state.video_mask)
        assert torch.equal(source(state).content, expected)
    source(state).content[:, 0].sum().backward()
    assert source.attention.query.weight.grad.norm() > 1e-4


@pytest.mark.parametrize('identical', [True, False])
@pytest.mark.parametrize('state', ['made', 'mean'])
def test_padding_and_neighbours_do_not_count(toy, shaken, identical, state):
    source = make(toy, shaken, identical=identical)

    def run(state):
        return {'content': (source(state).content, None)}

    toy.assert_padding_free(run, with_sentence(toy) if state == 'made' else toy.state())


def test_without_a_fusion_that_makes_one_the_sentence_is_the_mean_word(toy, shaken):
    source, state = make(toy, shaken), toy.state()
    words = [row[mask].mean(dim=0) for row, mask in zip(state.projected_text, state.text_mask)]
    made = state.update(query_sentence=QuerySentence(torch.stack(words)))
    with torch.no_grad():
        assert torch.allclose(source(state).content, source(made).content, atol=1e-5)
