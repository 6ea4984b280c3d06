# SPDX-License-Identifier: Apache-2.0
"""Alignment of moments and sentences."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from vtg.models.auxiliary import MomentSentenceAlignment

OPTIONS = dict(num_heads=4, hidden_dim=32, dropout=0.0, drop_path=0.0)


def make(toy, shaken, **options):
    return shaken(MomentSentenceAlignment(toy.dim, **OPTIONS, **options))


def test_encoders_against_a_run_on_the_chosen_clips(toy, shaken):
    """Attention to some clips only is the same as encoding the token with nothing but them."""
    aux, state = make(toy, shaken), toy.state()
    moment, clips, sentence = aux.encode(state)
    for b in range(3):
        one = toy.alone(state, b)
        inside = one.targets.saliency[0] > 0
        for part, token_matters in ((inside, True), (~inside, False)):
            if not part.any():
                continue
            token, encoded = aux.moment_encoder(
                one.video[:, part], torch.ones(1, int(part.sum())).bool(), one.video_pos[:, part]
            )
            ours = clips[b, : len(part)][part]
            assert torch.allclose(ours, encoded[0], atol=1e-5)
            if token_matters:
                assert torch.allclose(moment[b], token[0], atol=1e-5)
        token, _ = aux.sentence_encoder(one.text, torch.ones_like(one.text_mask))
        assert torch.allclose(sentence[b], token[0], atol=1e-5)


@pytest.mark.parametrize('average_over', ['valid', 'padded'])
def test_losses_against_loops(toy, shaken, average_over):
    aux, state = make(toy, shaken, average_over=average_over), toy.state()
    with torch.no_grad():
        moment, clips, sentence = aux.encode(state)
        losses = aux.loss(state)
    align = 0.0
    for j in range(3):
        for i in range(3):
            cosine = F.cosine_similarity(moment[i], sentence[j], dim=0)
            p = cosine.sigmoid() if i == j else 1 - cosine.sigmoid()
            align += (0.5 * (1 - p) ** 2 * -p.log()).item() / 3
    assert losses['loss_moment_sentence'].item() == pytest.approx(align, rel=1e-5)
    total, count = 0.0, 0
    for b in range(3):
        for i in range(int(state.video_mask[b].sum())):
            logit = (moment[b] @ clips[b, i]).item() / math.sqrt(toy.dim)
            right = logit if state.targets.saliency[b, i] > 0 else -logit
            total, count = total + math.log1p(math.exp(-right)), count + 1
    count = state.video_mask.numel() if average_over == 'padded' else count
    assert losses['loss_moment_clips'].item() == pytest.approx(3 * total / count, rel=1e-4)


def test_padding_does_not_matter(toy, shaken):
    aux, state = make(toy, shaken), toy.state()

    def run(s):
        moment, clips, sentence = aux.encode(s)
        return {'m': (moment, None), 'c': (clips, s.video_mask), 's': (sentence, None)}

    toy.assert_padding_free(run, state)
    first, other = aux.loss(state), aux.loss(toy.scrambled(state))
    for name, value in first.items():
        assert torch.allclose(value, other[name], atol=1e-5), name


@pytest.mark.parametrize('labels', [0.0, 3.0])  # nothing is relevant, or everything
def test_extreme_labels(toy, shaken, labels):
    state = toy.state(clips=(5, 1), words=(1, 3))
    targets = replace(state.targets, saliency=labels * state.video_mask.float())
    losses = make(toy, shaken).loss(state.update(targets=targets))
    assert all(value.isfinite() for value in losses.values())


def test_batch_of_one(toy, shaken):
    losses = make(toy, shaken, align_weight=0.5).loss(toy.state(clips=(6,), words=(2,)))
    assert all(value.isfinite() and value > 0 for value in losses.values())


def test_gradients_reach_every_parameter(toy, shaken, without_gradient):
    aux = make(toy, shaken)
    sum(aux.loss(toy.state()).values()).backward()
    assert without_gradient(aux) == []
