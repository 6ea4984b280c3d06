# SPDX-License-Identifier: Apache-2.0
"""Contrastive alignment of queries and words, summed by hand."""

import pytest
import torch

from vtg.models.losses import AssignedPredictions, MomentLosses, QueryTextAlignment
from vtg.models.task_modules import matched_moments
from vtg.utils import ConfigError


def assigned(states, index):
    """Predictions with nothing but the states of queries, and which of them are matched."""
    positive = matched_moments(index, states.shape[2])[1]
    nothing = torch.zeros(*states.shape[:3], 2)
    return AssignedPredictions(
        nothing, positive.new_ones(1, *positive.shape[1:]), positive, nothing, nothing,
        states=states,
    )  # fmt: skip


def by_hand(model, normed, state, query_index, padded):
    queries, words = model.embed(normed, state)
    losses = []
    for layer, matches in zip(queries, query_index):
        rows = []
        for sample, match in enumerate(matches):
            count = words.shape[1] if padded else int(state.text_mask[sample].sum())
            logits = (layer[sample] @ words[sample, :count].T).sum(dim=1) / model.temperature
            matched = logits[match[match >= 0]]
            rows.append(logits.logsumexp(0) - matched.mean())
        losses.append(torch.stack(rows).mean())
    return losses


@pytest.mark.parametrize('padded', [False, True])
def test_values_and_names(toy, padded):
    state = toy.state(targets=False)
    state = state.update(memory_text=torch.randn_like(state.text))
    losses = MomentLosses(
        dict(
            align=dict(
                type='QueryTextAlignment', dim=16, embed_dim=8, weight=2.0, mask_padding=not padded
            )
        )
    )
    model = losses['align']
    normed = torch.randn(2, 3, 6, 16)
    index = torch.tensor([[[0, 4], [5, -1], [2, 1]], [[3, 0], [1, -1], [2, 5]]])
    found = losses(assigned(normed, index), state)
    first, last = by_hand(model, normed, state, index, padded)
    assert set(found) == {'loss_align', 'loss_align_0'}
    torch.testing.assert_close(found['loss_align'], 2 * last, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found['loss_align_0'], 2 * first, rtol=1e-5, atol=1e-5)
    noisy = losses(assigned(normed, index), toy.scrambled(state))
    assert torch.allclose(noisy['loss_align'], found['loss_align'], rtol=1e-5) is not padded


def test_projected_words_and_unknown_ones(toy):
    state, normed = toy.state(targets=False), torch.randn(1, 3, 6, 16)
    index = torch.zeros(1, 3, 1, dtype=torch.long)
    loss = QueryTextAlignment(16, text='projected')
    assert loss(assigned(normed, index), state).isfinite()
    with pytest.raises(ConfigError, match="text is 'raw'"):
        QueryTextAlignment(16, text='raw')


def test_sample_without_moment_costs_nothing(toy):
    state = toy.state(targets=False)
    index = torch.full((1, 3, 1), -1)
    loss = QueryTextAlignment(16, text='projected')
    assert loss(assigned(torch.randn(1, 3, 6, 16), index), state) == 0
