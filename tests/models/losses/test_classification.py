# SPDX-License-Identifier: Apache-2.0
"""Classification losses of queries and anchors."""

import math

import pytest
import torch
import torch.nn.functional as F

from vtg.models.losses import (
    AssignedPredictions,
    FocalClassLoss,
    GaussianFocalLoss,
    SigmoidClassLoss,
    SoftmaxClassLoss,
    foreground_log_odds,
    foreground_probability,
    sigmoid_focal_loss,
)

MATCHED = torch.tensor([[True, False, False], [False, False, True]])


def assigned(logits, positive, **fields):
    """Predictions of one stage with nothing but logits."""
    logits, positive = logits.unsqueeze(0), positive.unsqueeze(0)
    spans = torch.zeros(*positive.shape, 2)
    mask = torch.ones_like(positive)
    return AssignedPredictions(logits, mask, positive, spans, spans, **fields)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize(('alpha', 'gamma'), [(0.25, 2.0), (0.5, 2.0), (None, 1.0)])
def test_focal_loss_against_loops(alpha, gamma):
    logits, targets = torch.randn(4, 3), (torch.rand(4, 3) > 0.5).float()
    loss = sigmoid_focal_loss(logits, targets, alpha, gamma)
    for place in torch.cartesian_prod(torch.arange(4), torch.arange(3)).tolist():
        y, p = targets[tuple(place)].item(), sigmoid(logits[tuple(place)].item())
        right = p if y else 1 - p
        weight = 1 if alpha is None else alpha if y else 1 - alpha
        expected = -weight * (1 - right) ** gamma * math.log(right)
        assert loss[tuple(place)].item() == pytest.approx(expected, rel=1e-4)


def test_sigmoid_class_loss_by_hand():
    logits, terms = torch.randn(2, 3, 1), []
    for b in range(2):
        for q in range(3):
            p = sigmoid(logits[b, q].item())
            terms.append(-math.log(p) if MATCHED[b, q] else -0.1 * math.log(1 - p))
    loss = SigmoidClassLoss(background_weight=0.1, weight=2.0)
    found = loss(assigned(logits, MATCHED), None)
    assert found.tolist() == pytest.approx([2 * sum(terms) / 6], rel=1e-4)
    # The divisor may be the head's own, as in dense heads.
    found = loss(assigned(logits, MATCHED, num_labels=torch.tensor([4])), None)
    assert found.tolist() == pytest.approx([2 * sum(terms) / 4], rel=1e-4)


def test_sigmoid_and_softmax_agree_on_two_logits():
    given = assigned(torch.randn(2, 3, 2), MATCHED)
    first, second = SigmoidClassLoss()(given, None), SoftmaxClassLoss()(given, None)
    torch.testing.assert_close(first, second)


def test_focal_loss_of_one_logit():
    logits = torch.randn(2, 3, 1)
    found = FocalClassLoss(alpha=None, gamma=1.5)(assigned(logits, MATCHED), None)
    expected = sigmoid_focal_loss(logits[..., 0], MATCHED.float(), None, 1.5).mean()
    torch.testing.assert_close(found, expected[None])


@pytest.mark.parametrize('num_logits', [1, 2])
def test_log_odds_are_the_logit_of_the_probability(num_logits):
    logits = torch.randn(2, 3, num_logits)
    expected = foreground_probability(logits).logit()
    torch.testing.assert_close(foreground_log_odds(logits), expected, rtol=1e-4, atol=1e-4)
    assert foreground_probability(torch.tensor([3.0, 1.0])) > 0.5


def test_softmax_loss_is_weighted_cross_entropy_over_the_number_of_queries():
    logits, matched = torch.randn(3, 5, 2), torch.rand(3, 5) > 0.6
    found = SoftmaxClassLoss(background_weight=0.1)(assigned(logits, matched), None)
    classes = (~matched).long()  # 0 is the foreground
    total = F.cross_entropy(
        logits.flatten(0, 1), classes.flatten(), torch.tensor([1.0, 0.1]), reduction='sum'
    )
    torch.testing.assert_close(found[0], total / matched.numel())


def test_focal_loss_looks_at_both_logits():
    logits, matched = torch.randn(4, 5, 2), torch.rand(4, 5) > 0.5
    target = F.one_hot((~matched).long(), 2).float()
    p = logits.sigmoid()
    right = torch.where(target > 0, p, 1 - p)
    alpha = torch.where(target > 0, 0.25, 0.75)
    expected = (-alpha * (1 - right) ** 2 * right.log()).mean()
    torch.testing.assert_close(FocalClassLoss()(assigned(logits, matched), None)[0], expected)


def test_extreme_logits_are_finite():
    for value in (-200.0, 200.0):
        logits = torch.full((3,), value, requires_grad=True)
        loss = sigmoid_focal_loss(logits, torch.tensor([0.0, 1.0, 1.0])).sum()
        loss.backward()
        assert loss.isfinite() and logits.grad.isfinite().all()


def test_gaussian_focal_loss_entry_by_entry():
    logits = torch.randn(1, 2, 5, 1)
    heat = torch.tensor([[[0.0, 0.3, 1.0, 0.3, 0.0], [1.0, 0.0, 0.0, 0.5, 0.9]]])
    mask = torch.tensor([[[True] * 5, [True] * 4 + [False]]])
    spans = torch.zeros(1, 2, 5, 2)
    assigned = AssignedPredictions(
        logits, mask, heat == 1, spans, spans, heat=heat, num_labels=torch.tensor([2.0])
    )
    total = 0.0
    for p, y, real in zip(logits.sigmoid().flatten(), heat.flatten(), mask.flatten()):
        if real and y == 1:
            total -= (p.log() * (1 - p) ** 2).item()
        elif real:
            total -= ((1 - p).log() * p**2 * (1 - y) ** 4).item()
    loss = GaussianFocalLoss(weight=3.0)(assigned, None)
    assert loss.item() == pytest.approx(3 * total / 2, rel=1e-5)
