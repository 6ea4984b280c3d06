# SPDX-License-Identifier: Apache-2.0
"""The clip-word correlation learner, its losses against loops."""

import math

import pytest
import torch
import torch.nn.functional as F

from vtg.models.auxiliary import ClipWordCorrelation
from vtg.models.extras import Attention, Dummies

DUMMIES = 3


def make(toy, shaken, **options):
    options = {'num_heads': 4, 'hidden_dim': 32, **options}
    quiet = dict(dropout=0.0, drop_path=0.0, sentence_encoder=dict(dropout=0.0))
    return shaken(ClipWordCorrelation(toy.dim, **quiet, **options))


def given(toy, **options):
    state = toy.state(**options)
    words = state.text.shape[1]
    always = torch.ones(3, DUMMIES).bool()
    keys = torch.cat((always, state.text_mask), dim=1)
    logits = torch.randn(3, state.video.shape[1], DUMMIES + words)
    attention = logits.masked_fill(~keys[:, None], -torch.inf).softmax(-1)
    return state.update(
        dummies=Dummies(torch.randn(3, DUMMIES, toy.dim), torch.randn(DUMMIES, toy.dim)),
        attention=Attention(attention),
    )


def test_clips_are_encoded_with_their_own_kind(toy, shaken):
    learner, state = make(toy, shaken), given(toy)
    learnt = learner.encode(state)
    assert torch.equal(learnt.inside, state.video_mask & (state.targets.saliency > 0))
    # The content of outside clips reaches neither the moment token nor inside clips.
    outside = state.video_mask & ~learnt.inside
    noise = torch.randn_like(state.video)
    other = state.update(video=torch.where(outside[..., None], noise, state.video))
    changed = learner.encode(other)
    assert torch.allclose(changed.moment, learnt.moment, atol=1e-5)
    assert torch.allclose(changed.clips[learnt.inside], learnt.clips[learnt.inside], atol=1e-5)
    assert not torch.allclose(changed.other, learnt.other, atol=1e-2)


def test_losses_by_hand(toy, shaken):
    learner, state = make(toy, shaken, align_weight=2.0, distill_weight=3.0), given(toy)
    learnt, losses = learner.encode(state), learner.loss(state)
    sentence = dummy = 0.0
    for b in range(3):
        tokens = [*learnt.moment, *learnt.other]
        cosines = [F.cosine_similarity(learnt.moment[b], s, dim=0) for s in learnt.sentence]
        cosines += [F.cosine_similarity(learnt.other[b], s, dim=0) for s in learnt.sentence]
        sentence -= torch.stack(cosines).log_softmax(0)[b].item() / 3
        cosines = [F.cosine_similarity(learnt.moment[b], s, dim=0) for s in learnt.dummy_sentence]
        cosines += [F.cosine_similarity(learnt.other[b], s, dim=0) for s in learnt.dummy_sentence]
        dummy -= torch.stack(cosines).log_softmax(0)[0 if b else 1].item() / 3
        assert len(tokens) == 6
    assert losses['loss_moment_sentence'].item() == pytest.approx(2 * sentence, rel=1e-4)
    assert losses['loss_moment_dummy'].item() == pytest.approx(2 * dummy, rel=1e-4)

    clips, distilled, count = [], 0.0, 0
    for b, length in enumerate((12, 7, 9)):
        words = int(state.text_mask[b].sum())
        for i in range(length):
            p = (learnt.moment[b] @ learnt.clips[b, i]).sigmoid().item()
            inside = bool(state.targets.saliency[b, i] > 0)
            clips.append(min(100.0, -math.log(max(1e-45, p if inside else 1 - p))))
            if inside:
                target = learnt.similarity[b, i, : DUMMIES + words].softmax(0)
                found = state.extras[Attention].weights[b, i, : DUMMIES + words]
                divergence = target * (target.log() - (found + 1e-6).log())
                distilled += divergence.mean().item()
                count += 1
    expected = 2 * sum(clips) / len(clips)
    assert losses['loss_moment_clips'].item() == pytest.approx(expected, rel=1e-3)
    assert losses['loss_distillation'].item() == pytest.approx(3 * distilled / count, rel=1e-3)


def test_padding_reaches_no_loss(toy, shaken):
    learner, state = make(toy, shaken), given(toy, clips=(12, 4, 9), words=(5, 1, 4))
    plain = learner.loss(state)
    other = toy.scrambled(state.update(attention=None)).update(attention=state.extras[Attention])
    for name, value in learner.loss(other).items():
        assert value.item() == pytest.approx(plain[name].item(), rel=1e-4), name
    padded = make(toy, shaken, average_over='padded')
    padded.load_state_dict(learner.state_dict())
    assert padded.loss(state)['loss_moment_clips'] < plain['loss_moment_clips']


def test_all_other_moments_as_targets(toy, shaken):
    learner, state = make(toy, shaken, dummy_target='all_others'), given(toy)
    learnt = learner.encode(state)
    unit = [F.normalize(x, dim=-1) for x in (learnt.moment, learnt.other, learnt.dummy_sentence)]
    logits = torch.cat((unit[0] @ unit[2].T, unit[1] @ unit[2].T), dim=1).log_softmax(1)
    others = [-(row.sum() - row[b]) / 5 for b, row in enumerate(logits)]
    expected = torch.stack(others).mean().item()
    assert learner.loss(state)['loss_moment_dummy'].item() == pytest.approx(expected, rel=1e-4)


def test_without_any_labelled_clip(toy, shaken):
    learner, state = make(toy, shaken), given(toy, moments=[[], [], []])
    losses = learner.loss(state)
    assert losses['loss_distillation'].item() == 0
    assert all(value.isfinite() for value in losses.values())


def test_attention_learns_and_the_learner_does_not_from_the_distillation(toy, shaken):
    learner, state = make(toy, shaken), given(toy)
    attention = state.extras[Attention].weights.clone().requires_grad_()
    learner.loss(state.update(attention=Attention(attention)))['loss_distillation'].backward()
    assert attention.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in learner.parameters())


def test_the_sentence_encoder_is_its_own(toy):
    sizes = dict(num_heads=4, hidden_dim=32, drop_path=0.3)
    own = dict(num_layers=2, num_heads=2, dropout=0.5)
    learner = ClipWordCorrelation(toy.dim, **sizes, sentence_encoder=own)
    layers = learner.sentence_encoder.layers.layers
    assert len(layers) == 2 and layers[0].attention.num_heads == 2
    assert learner.moment_encoder.layers.layers[0].attention.num_heads == 4
    plain = ClipWordCorrelation(toy.dim, **sizes).sentence_encoder.layers.layers
    assert len(plain) == 1 and plain[0].attention.num_heads == 4
