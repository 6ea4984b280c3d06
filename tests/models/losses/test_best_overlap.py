# SPDX-License-Identifier: Apache-2.0
"""Scores that say how good a moment is."""

import pytest
import torch

from vtg.models.losses import AssignedPredictions, BestOverlapLoss


def in_clips(moments):
    return [[(low * n, high * n) for low, high in row] for row, n in zip(moments, (12, 7, 9))]


def iou(a, b):
    low, high = max(a[0], b[0]), min(a[1], b[1])
    inside = max(high - low, 0)
    return inside / (a[1] - a[0] + b[1] - b[0] - inside)


@pytest.mark.parametrize('limits', [(0.3, 0.7), ()])
def test_by_hand(toy, limits):
    moments = [[(0.1, 0.4), (0.6, 0.9)], [], [(0.25, 0.75)]]
    state = toy.state(moments=in_clips(moments))
    torch.manual_seed(0)
    spans = torch.rand(2, 3, 30, 2) * torch.tensor([1.0, 0.6]) + torch.tensor([0.0, 0.05])
    logits, mask = torch.randn(2, 3, 30, 1), torch.rand(1, 3, 30) > 0.2
    assigned = AssignedPredictions(
        logits, mask, mask.expand(2, -1, -1), spans, spans,
        moments=state.targets.spans.unsqueeze(0),
    )  # fmt: skip
    loss = BestOverlapLoss(limits=limits, weight=2.0)(assigned, state)
    for stage in range(2):
        groups = [[] for _ in range(len(limits) + 1)]
        for b in range(3):
            for q in range(30):
                if not mask[0, b, q]:
                    continue
                centre, width = spans[stage, b, q].tolist()
                own = [min(max(v, 0), 1) for v in (centre - width / 2, centre + width / 2)]
                best = max((iou(own, moment) for moment in moments[b]), default=0.0)
                error = abs(logits[stage, b, q, 0].sigmoid().item() - best)
                groups[sum(best > limit for limit in limits)].append(error)
        assert all(groups)
        expected = sum(sum(group) / len(group) for group in groups) / len(groups)
        assert loss[stage].item() == pytest.approx(2 * expected, rel=1e-4)


def test_without_any_moment_scores_learn_zero(toy):
    state = toy.state(moments=[[], [], []])
    mask = torch.ones(1, 3, 4, dtype=torch.bool)
    spans = torch.rand(1, 3, 4, 2)
    logits = torch.zeros(1, 3, 4, 1, requires_grad=True)
    assigned = AssignedPredictions(
        logits, mask, ~mask, spans, spans, moments=state.targets.spans.unsqueeze(0)
    )
    loss = BestOverlapLoss()(assigned, state)
    assert loss.item() == pytest.approx(0.5 / 3)
    loss.sum().backward()
    assert (logits.grad > 0).all()
