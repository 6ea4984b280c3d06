# SPDX-License-Identifier: Apache-2.0
"""Classification losses on a foreground and a background logit."""

import torch
import torch.nn.functional as F

from vtg.models.losses import FocalClassLoss, SigmoidClassLoss, SoftmaxClassLoss


def test_softmax_loss_is_weighted_cross_entropy_over_the_number_of_queries():
    logits, matched = torch.randn(2, 3, 5, 2), torch.rand(2, 3, 5) > 0.6
    found = SoftmaxClassLoss(background_weight=0.1)(logits, matched)
    classes = (~matched).long()  # 0 is the foreground
    total = F.cross_entropy(
        logits.flatten(0, 2), classes.flatten(), torch.tensor([1.0, 0.1]), reduction='sum'
    )
    torch.testing.assert_close(found.mean(), total / matched.numel())


def test_focal_loss_looks_at_both_logits():
    logits, matched = torch.randn(4, 5, 2), torch.rand(4, 5) > 0.5
    target = F.one_hot((~matched).long(), 2).float()
    p = logits.sigmoid()
    right = torch.where(target > 0, p, 1 - p)
    alpha = torch.where(target > 0, 0.25, 0.75)
    expected = (-alpha * (1 - right) ** 2 * right.log()).mean(dim=-1)
    torch.testing.assert_close(FocalClassLoss()(logits, matched), expected)


def test_log_odds_belong_to_the_probability():
    for loss in (SigmoidClassLoss(), SoftmaxClassLoss(), FocalClassLoss()):
        logits = torch.randn(4, 5, loss.num_logits)
        probability = loss.probability(logits)
        torch.testing.assert_close(loss.log_odds(logits), probability.logit(), rtol=1e-4, atol=1e-4)
    both = torch.tensor([3.0, 1.0])
    assert SoftmaxClassLoss().probability(both) > 0.5
