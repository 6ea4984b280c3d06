# SPDX-License-Identifier: Apache-2.0
"""Dummies encoded with the words, and the loss that keeps them apart."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.extras import Dummies
from vtg.models.losses import token_orthogonality
from vtg.models.refiners import DummyEncoder


def make(toy, shaken, **options):
    options = {'num_dummies': 3, 'num_heads': 4, 'hidden_dim': 32, 'dropout': 0.0, **options}
    return shaken(DummyEncoder(toy.dim, drop_path=0.0, **options))


def test_dummies_see_words_and_each_other(toy, shaken):
    refiner, state = make(toy, shaken), toy.state()
    values = refiner(state)
    assert values['dummies'].tokens.shape == (3, 3, toy.dim)
    assert values['dummies'].positions is refiner.positions
    one = toy.alone(state, 2)
    tokens = torch.cat((refiner.tokens, one.text[0]))[None]
    position = torch.cat((refiner.positions, one.text_pos[0]))[None]
    for layer in refiner.layers.layers:
        tokens = layer(tokens, torch.ones(tokens.shape[:2]).bool(), position)
    assert torch.allclose(values['dummies'].tokens[2], tokens[0, :3], atol=1e-5)


def test_padding_does_not_matter(toy, shaken):
    refiner = make(toy, shaken).eval()
    toy.assert_padding_free(
        lambda s: {'dummies': (refiner(s)['dummies'].tokens, None)}, toy.state(words=(1, 6, 4))
    )


def test_orthogonality_is_the_mean_over_all_pairs():
    tokens = torch.randn(2, 4, 5)
    total = 0.0
    for sample in tokens:
        for i in range(4):
            for j in range(4):
                if i != j:
                    total += F.cosine_similarity(sample[i], sample[j], dim=0).abs().item()
    assert token_orthogonality(tokens).item() == pytest.approx(total / (2 * 16), rel=1e-5)
    assert token_orthogonality(torch.eye(3)).item() == 0
    assert token_orthogonality(tokens[:, :1]).item() == 0


def test_loss_has_its_weight_and_reaches_the_tokens(toy, shaken):
    refiner, state = make(toy, shaken, orthogonal_weight=2.0), toy.state()
    state = state.update(**refiner(state))
    loss = refiner.loss(state)['loss_dummy_orthogonality']
    assert loss.item() == pytest.approx(
        2 * token_orthogonality(state.extras[Dummies].tokens).item()
    )
    loss.backward()
    assert refiner.tokens.grad.abs().sum() > 0
    assert make(toy, shaken).loss(state) == {}
