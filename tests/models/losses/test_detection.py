# SPDX-License-Identifier: Apache-2.0
"""Classification losses of queries and anchors."""

import math

import pytest
import torch

from vtg.models.losses import sigmoid_focal_loss
from vtg.registry import MODELS

MATCHED = torch.tensor([[True, False, False], [False, False, True]])


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
    loss = MODELS.build(dict(type='SigmoidClassLoss', background_weight=0.1))
    logits = torch.randn(2, 3, 1)
    out = loss(logits, MATCHED)
    for b in range(2):
        for q in range(3):
            p = sigmoid(logits[b, q].item())
            expected = -math.log(p) if MATCHED[b, q] else -0.1 * math.log(1 - p)
            assert out[b, q].item() == pytest.approx(expected, rel=1e-4)
    assert torch.allclose(loss.probability(logits), logits[..., 0].sigmoid())
    assert loss.num_logits == 1


def test_softmax_class_loss_by_hand():
    loss = MODELS.build(dict(type='SoftmaxClassLoss', background_weight=0.1))
    logits = torch.randn(2, 3, 2)
    out, probability = loss(logits, MATCHED), loss.probability(logits)
    for b in range(2):
        for q in range(3):
            front, back = (math.exp(x) for x in logits[b, q].tolist())
            p = front / (front + back)
            expected = -math.log(p) if MATCHED[b, q] else -0.1 * math.log(1 - p)
            assert out[b, q].item() == pytest.approx(expected, rel=1e-4)
            assert probability[b, q].item() == pytest.approx(p, rel=1e-5)


def test_focal_class_loss_is_the_mean_of_both_logits():
    loss = MODELS.build(dict(type='FocalClassLoss'))
    logits = torch.randn(2, 3, 2)
    out = loss(logits, MATCHED)
    front = sigmoid_focal_loss(logits[..., 0], MATCHED.float())
    back = sigmoid_focal_loss(logits[..., 1], (~MATCHED).float())
    assert torch.allclose(out, (front + back) / 2, atol=1e-6)


@pytest.mark.parametrize('kind', ['SigmoidClassLoss', 'SoftmaxClassLoss', 'FocalClassLoss'])
def test_log_odds_are_the_logit_of_the_probability(kind):
    loss = MODELS.build(dict(type=kind))
    logits = torch.randn(2, 3, loss.num_logits)
    assert torch.allclose(
        loss.log_odds(logits), loss.probability(logits).logit(), rtol=1e-4, atol=1e-5
    )


def test_extreme_logits_are_finite():
    for value in (-200.0, 200.0):
        logits = torch.full((3,), value, requires_grad=True)
        loss = sigmoid_focal_loss(logits, torch.tensor([0.0, 1.0, 1.0])).sum()
        loss.backward()
        assert loss.isfinite() and logits.grad.isfinite().all()
