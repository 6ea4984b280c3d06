# SPDX-License-Identifier: Apache-2.0
"""The clip-aware score, against loops."""

import pytest
import torch

from vtg.models.losses import clip_score_distance, min_max
from vtg.utils import ConfigError

LENGTHS = (5, 3, 4)


def scaled(values):
    low, high = min(values), max(values)
    return [(value - low) / (high - low) for value in values]


@pytest.fixture
def given():
    mask = torch.arange(5) < torch.tensor(LENGTHS)[:, None]
    return torch.randn(3, 5), torch.randint(0, 12, (3, 5)).float() * mask, mask


def test_per_sample(given):
    scores, labels, mask = given
    total = 0.0
    for s, y, n in zip(scores.tolist(), labels.tolist(), LENGTHS):
        total += sum((a - b) ** 2 for a, b in zip(scaled(s[:n]), scaled(y[:n])))
    expected = total / sum(LENGTHS)
    assert clip_score_distance(scores, labels, mask).item() == pytest.approx(expected, rel=1e-5)
    noise = torch.where(mask, scores, torch.full_like(scores, 1e6))
    assert clip_score_distance(noise, labels, mask).item() == pytest.approx(expected, rel=1e-5)


def test_over_the_batch(given):
    scores, labels, mask = given
    rows = (scaled(values.flatten().tolist()) for values in (scores, labels))
    expected = sum((a - b) ** 2 for a, b in zip(*rows)) / 15
    distance = clip_score_distance(scores, labels, mask, over='batch')
    assert distance.item() == pytest.approx(expected, rel=1e-5)


def test_equal_scores_are_zero_and_keep_a_finite_gradient():
    mask = torch.ones(1, 4).bool()
    scores = torch.ones(1, 4, requires_grad=True)
    assert min_max(scores, mask).tolist() == [[0, 0, 0, 0]]
    clip_score_distance(scores, torch.tensor([[0.0, 1, 2, 3]]), mask).backward()
    assert scores.grad.isfinite().all()


def test_refuses_other_scopes(given):
    with pytest.raises(ConfigError, match="'sample' or 'batch'"):
        clip_score_distance(*given, over='video')
