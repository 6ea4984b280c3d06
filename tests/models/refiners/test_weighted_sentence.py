# SPDX-License-Identifier: Apache-2.0
"""A sentence out of the words."""

import torch

from vtg.models.refiners import WeightedSentence


def test_it_is_the_weighted_mean_of_the_real_words(toy, shaken):
    refiner, state = shaken(WeightedSentence(toy.dim)), toy.state()
    with torch.no_grad():
        made = refiner(state)
    assert made.keys() == {'sentence'}
    (weight,) = (each.detach().flatten() for each in refiner.parameters())
    for row in range(3):
        words = state.text[row][state.text_mask[row]].double()
        share = (words @ weight.double()).exp()
        expected = (share[:, None] * words).sum(0) / share.sum()
        torch.testing.assert_close(made['sentence'][row].double(), expected, atol=1e-5, rtol=1e-5)
    toy.assert_padding_free(lambda s: {'sentence': (refiner(s)['sentence'], None)}, state)
