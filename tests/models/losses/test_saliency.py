# SPDX-License-Identifier: Apache-2.0
"""Losses on clip scores, against loops over samples, clips and ranks."""

import math
from dataclasses import replace

import pytest
import torch

from vtg.models.losses import (
    MarginPairLoss,
    NegativePairLoss,
    RankContrastiveLoss,
    SaliencyBCELoss,
    SaliencyLosses,
)
from vtg.utils import ConfigError

CLIPS = (12, 7, 9)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


@pytest.fixture
def given(toy):
    """State, scores and negative scores; the second sample has no true negative."""
    state = toy.state(clips=CLIPS)
    state = state.update(negative_valid=torch.tensor([True, False, True]))
    return state, torch.randn(3, 12), torch.randn(3, 12)


def rank_row(scores, labels, ranks=11, temperature=0.5, divisor=12):
    """One sample: ``scores`` and ``labels`` of its real clips, negatives appended with label 0."""
    top = max(s / temperature for s in scores)
    z = [s / temperature - top for s in scores]
    log_sum = math.log(sum(math.exp(value) for value in z) + 1e-6)
    total = 0.0
    for rank in range(1, ranks + 1):
        positive = [value - log_sum for value, label in zip(z, labels) if label >= rank]
        total += -sum(positive) / (len(positive) + 1e-6)
    return total / divisor


def real(values, b):
    return values[b, : CLIPS[b]].tolist()


def test_an_absent_clip_scores_zero(given):
    state, scores, _ = given
    absent = torch.tensor([[-1, 2], [3, 1], [0, -1]])
    state = state.update(targets=replace(state.targets, neg_clips=absent))
    terms = []
    for b in range(3):
        for high, low in zip(state.targets.pos_clips[b].tolist(), absent[b].tolist()):
            lower = 0.0 if low < 0 else scores[b, low].item()
            terms.append(max(0.0, 0.2 + lower - scores[b, high].item()))
    loss = MarginPairLoss()(scores, state, None)
    assert loss.item() == pytest.approx(2 * sum(terms) / len(terms), rel=1e-5)


def test_bce(given):
    state, scores, _ = given
    terms = []
    for b in range(3):
        for score, label in zip(real(scores, b), real(state.targets.saliency, b)):
            p = sigmoid(score)
            terms.append(-math.log(p) if label > 0 else -math.log(1 - p))
    loss = SaliencyBCELoss(weight=0.5)(scores, state, None)
    assert loss.item() == pytest.approx(0.5 * sum(terms) / len(terms), rel=1e-5)
    probability = SaliencyBCELoss(probability=True)(scores.sigmoid(), state, None)
    assert probability.item() == pytest.approx(sum(terms) / len(terms), rel=1e-4)


def test_negative_pairs(given):
    state, scores, negative = given
    rows = [[-math.log(1 - sigmoid(s)) for s in real(negative, b)] for b in (0, 2)]
    flat = [value for row in rows for value in row]
    summed = NegativePairLoss()(scores, state, negative)
    assert summed.item() == pytest.approx(sum(flat) / 2, rel=1e-5)
    mean = NegativePairLoss(reduction='mean', min_probability=1e-7)(scores, state, negative)
    assert mean.item() == pytest.approx(sum(flat) / len(flat), rel=1e-5)
    large = NegativePairLoss(reduction='mean', min_probability=1e-7)(
        scores, state, torch.full_like(negative, 50.0)
    )
    assert large.item() == pytest.approx(-math.log(1e-7), rel=1e-5)


def test_negative_pairs_of_probabilities_need_a_clamp(given):
    state, scores, negative = given
    with pytest.raises(ConfigError, match='min_probability above 0'):
        NegativePairLoss(probability=True)
    a = NegativePairLoss(probability=True, min_probability=1e-6)(scores, state, negative.sigmoid())
    assert a.item() == pytest.approx(NegativePairLoss()(scores, state, negative).item(), rel=1e-4)


@pytest.mark.parametrize('probabilities', [True, False])
def test_margin(given, probabilities):
    state, scores, _ = given
    terms = []
    for b in range(3):
        for high, low in zip(state.targets.pos_clips[b], state.targets.neg_clips[b]):
            s, t = scores[b, high].item(), scores[b, low].item()
            if probabilities:
                s, t = sigmoid(s), sigmoid(t)
            terms.append(max(0.0, 0.15 + t - s))
    loss = MarginPairLoss(margin=0.15, sigmoid=probabilities)(scores, state, None)
    assert loss.item() == pytest.approx(2 * sum(terms) / len(terms), rel=1e-5)


def test_rank_contrast(given):
    state, scores, negative = given
    labels = state.targets.saliency
    with_negative = [
        rank_row(real(scores, b) + real(negative, b), real(labels, b) + [0] * CLIPS[b])
        for b in (0, 2)
    ]
    expected = sum(with_negative) / 2 + rank_row(real(scores, 1), real(labels, 1))
    loss = RankContrastiveLoss()(scores, state, negative)
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_rank_contrast_without_any_true_negative(given):
    state, scores, negative = given
    rows = [rank_row(real(scores, b), real(state.targets.saliency, b)) for b in range(3)]
    state = state.update(negative_valid=torch.zeros(3, dtype=torch.bool))
    for min_alone in (1, 2):
        loss = RankContrastiveLoss(min_alone=min_alone)(scores, state, negative)
        assert loss.item() == pytest.approx(sum(rows) / 3, rel=1e-4)
    assert RankContrastiveLoss()(scores, state, None).item() == pytest.approx(loss.item())
    zero = NegativePairLoss()(scores, state, negative)
    assert zero == 0 and zero.isfinite()


def test_a_single_lonely_sample_drops_out_on_request(given):
    state, scores, negative = given
    labels = state.targets.saliency
    rows = [
        rank_row(real(scores, b) + real(negative, b), real(labels, b) + [0] * CLIPS[b])
        for b in (0, 2)
    ]
    loss = RankContrastiveLoss(min_alone=2)(scores, state, negative)
    assert loss.item() == pytest.approx(sum(rows) / 2, rel=1e-4)


@pytest.mark.parametrize(
    'loss',
    [
        SaliencyBCELoss(),
        NegativePairLoss(),
        NegativePairLoss(reduction='mean', min_probability=1e-7),
        MarginPairLoss(sigmoid=True),
        RankContrastiveLoss(),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_padding_changes_neither_value_nor_gradient(given, loss):
    state, scores, negative = given
    results = []
    for change in (torch.zeros(3, 12), 50 * torch.randn(3, 12)):
        change = change.masked_fill(state.video_mask, 0)
        a, b = ((x + change).requires_grad_() for x in (scores, negative))
        value = loss(a, state, b)
        value.backward()
        grads = [torch.zeros(3, 12) if x.grad is None else x.grad for x in (a, b)]
        assert not any(grad[~state.video_mask].any() for grad in grads)
        results.append(torch.cat([value.detach().view(1), *(grad.flatten() for grad in grads)]))
    assert torch.allclose(*results, atol=1e-6) and results[0].isfinite().all()


def test_no_relevant_clip_and_a_single_clip(toy):
    state = toy.state(clips=(1, 5), words=(1, 1), moments=[[], []])
    state = state.update(negative_valid=torch.ones(2, dtype=torch.bool))
    scores = torch.randn(2, 5, requires_grad=True)
    total = RankContrastiveLoss()(scores, state, scores) + SaliencyBCELoss()(scores, state, None)
    total = total + MarginPairLoss()(scores, state, None)
    total.backward()
    assert total.isfinite() and scores.grad.isfinite().all()
    assert RankContrastiveLoss()(scores, state, scores) == 0


def test_none_removes_a_loss_of_a_base_config(given):
    built = SaliencyLosses({'a': {'type': 'SaliencyBCELoss'}, 'b': None}, 'curve')
    assert list(built) == ['a'] and len(SaliencyLosses(None, 'curve')) == 0
    state, scores, _ = given
    assert list(built(scores, state)) == ['loss_curve_a']


def test_bce_with_soft_labels(toy):
    state = toy.state()
    mask, target = state.video_mask, state.targets.saliency / 12
    scores = torch.randn(mask.shape)
    high = scores.sigmoid()
    entries = -(target * high.log() + (1 - target) * (1 - high).log())
    for over, count in (('valid', int(mask.sum())), ('padded_count', mask.numel())):
        loss = SaliencyBCELoss(max_label=12.0, average_over=over)
        wanted = entries[mask].sum() / count
        torch.testing.assert_close(loss(scores, state, None), wanted)
