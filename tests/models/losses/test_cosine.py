# SPDX-License-Identifier: Apache-2.0
"""Losses on the direction of clip scores."""

import pytest
import torch

from vtg.models.losses import AdaptiveHardLoss, SaliencyCosineLoss
from vtg.structures import Progress


def unit(x):
    return x / x.norm() if x.norm() > 0 else x


def pairs(state, scores):
    """Directions of scores and labels of every sample, without padding."""
    for b in range(len(scores)):
        mask = state.video_mask[b]
        ours, labels = scores[b][mask], state.targets.saliency[b][mask]
        yield unit(ours - ours.min()), unit(labels), labels > 0


def test_cosine_by_hand(toy):
    state = toy.state()
    scores = state.saliency
    expected = [1 - ours @ labels for ours, labels, _ in pairs(state, scores)]
    total = SaliencyCosineLoss(weight=2.0)(scores, state, None)
    assert total.item() == pytest.approx(2 * sum(expected).item(), rel=1e-5)
    mean = SaliencyCosineLoss(reduction='mean')(scores, state, None)
    assert mean.item() == pytest.approx(sum(expected).item() / 3, rel=1e-5)


@pytest.mark.parametrize('epoch', [0, 3])
def test_hard_losses_by_hand_and_by_epoch(toy, epoch):
    state = toy.state().update(progress=Progress(epoch, 10))
    scores, total = state.saliency, {'positive': 0.0, 'negative': 0.0}
    for ours, labels, positive in pairs(state, scores):
        error = (ours - labels).square()
        total['positive'] += error[positive].sum().item()
        total['negative'] += error[~positive].sum().item()
    for clips, value in total.items():
        loss = AdaptiveHardLoss(clips, coef=5.0)(scores, state, None)
        assert loss.item() == pytest.approx((epoch + 1) * 5 * value / (12 + 7 + 9), rel=1e-5)


def test_batch_shift_takes_one_minimum_and_counts_padding(toy):
    state = toy.state()
    scores, labels = state.saliency, state.targets.saliency
    shifted = scores - scores.min()
    expected = sum(1 - unit(shifted[b]) @ unit(labels[b]) for b in range(3))
    loss = SaliencyCosineLoss(shift_by='batch')(scores, state, None)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    hard = sum(
        AdaptiveHardLoss(clips, coef=1.0, shift_by='batch')(scores, state, None)
        for clips in ('positive', 'negative')
    )
    assert hard.item() == pytest.approx(2 * expected.item() / (3 * 12), rel=1e-4)


@pytest.mark.parametrize(
    'loss',
    [
        SaliencyCosineLoss(),
        AdaptiveHardLoss('positive'),
        AdaptiveHardLoss('negative'),
        SaliencyCosineLoss(shift_by=None),
        AdaptiveHardLoss('positive', shift_by=None),
        AdaptiveHardLoss('negative', shift_by=None),
    ],
)
def test_padding_does_not_matter(toy, loss):
    state = toy.state()
    scores = [state.saliency, toy.scrambled(state).saliency]
    values = [loss(x, state, None).item() for x in scores]
    assert values[0] == pytest.approx(values[1], rel=1e-6)
    grads = []
    for x in scores:
        x = x.clone().requires_grad_()
        loss(x, state, None).backward()
        assert not x.grad[~state.video_mask].any()
        grads.append(x.grad)
    assert torch.allclose(*grads, atol=1e-6)


def test_equal_scores_and_missing_labels_stay_finite(toy):
    state = toy.state(moments=[[], [(0, 3)], []], words=(2, 2, 2))
    scores = torch.ones_like(state.saliency).requires_grad_()
    loss = SaliencyCosineLoss()(scores, state, None) + AdaptiveHardLoss('positive')(
        scores, state, None
    )
    loss.backward()
    assert loss.isfinite() and scores.grad.isfinite().all()


def test_raw_scores_by_hand(toy):
    """Equations 8 to 10 of the paper: nothing is shifted, nothing but the cosine is scaled."""
    state = toy.state().update(progress=Progress(1, 10))
    scores, cosines, totals = state.saliency, [], {'positive': 0.0, 'negative': 0.0}
    for b, length in enumerate((12, 7, 9)):
        ours = scores[b, :length].tolist()
        labels = state.targets.saliency[b, :length].tolist()
        product = sum(s * y for s, y in zip(ours, labels))
        norms = sum(s * s for s in ours) ** 0.5 * sum(y * y for y in labels) ** 0.5
        cosines.append(1 - product / norms)
        for score, label in zip(ours, labels):
            if label > 0:
                totals['positive'] += (score - label / max(labels)) ** 2
            else:
                totals['negative'] += abs(score)
    loss = SaliencyCosineLoss(shift_by=None, reduction='mean')(scores, state, None)
    assert loss.item() == pytest.approx(sum(cosines) / 3, rel=1e-5)
    for clips, total in totals.items():
        loss = AdaptiveHardLoss(clips, coef=5.0, shift_by=None)(scores, state, None)
        assert loss.item() == pytest.approx(2 * 5 * total / (12 + 7 + 9), rel=1e-5)
