# SPDX-License-Identifier: Apache-2.0
"""Balancing of the losses of the tasks."""

import math

import pytest
import torch

from vtg.models.losses import FixedBalancer, UncertaintyBalancer

LOSSES = {
    'moment': {'loss_span': torch.tensor(0.5), 'loss_label': torch.tensor(0.25)},
    'saliency': {'loss_rank': torch.tensor(3.0)},
    'auxiliary': {'loss_align': torch.tensor(2.0)},
}


def minimised(losses):
    return sum(value for name, value in losses.items() if 'loss' in name)


def test_fixed():
    assert minimised(FixedBalancer()(LOSSES)).item() == pytest.approx(5.75)
    weighted = FixedBalancer({'saliency': 2.0})(LOSSES)
    assert weighted['loss_rank'].item() == 6 and weighted['loss_span'].item() == 0.5


def test_uncertainty_by_hand():
    balancer = UncertaintyBalancer({'moment': 1.0, 'saliency': 2.0})
    with torch.no_grad():
        balancer.log_variances['moment'].fill_(-0.3)
        balancer.log_variances['saliency'].fill_(0.8)
    out = balancer(LOSSES)
    expected = 2 * math.exp(-0.8) * 3 + math.exp(0.3) * 0.75 + 0.8 - 0.3 + 2
    assert minimised(out).item() == pytest.approx(expected)
    assert out['log_variance_saliency'].item() == pytest.approx(0.8)
    assert not out['log_variance_saliency'].requires_grad
    minimised(out).backward()
    gradient = balancer.log_variances['saliency'].grad.item()
    assert gradient == pytest.approx(1 - 2 * math.exp(-0.8) * 3)


def test_an_absent_task_drops_out():
    balancer = UncertaintyBalancer({'moment': 1.0, 'saliency': 2.0})
    with torch.no_grad():
        balancer.log_variances['moment'].fill_(5.0)
    for losses in ({'saliency': LOSSES['saliency']}, {**LOSSES, 'moment': {}, 'auxiliary': {}}):
        out = balancer(losses)
        assert set(out) == {'loss_rank', 'loss_balance', 'log_variance_saliency'}
        assert minimised(out).item() == pytest.approx(6.0)
    minimised(out).backward()
    assert balancer.log_variances['moment'].grad is None
    assert balancer({'auxiliary': LOSSES['auxiliary']}) == LOSSES['auxiliary']


def test_learns_the_known_optimum():
    balancer = UncertaintyBalancer({'moment': 1.0, 'saliency': 2.0})
    optimizer = torch.optim.Adam(balancer.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        minimised(balancer(LOSSES)).backward()
        optimizer.step()
    found = {name: value.item() for name, value in balancer.log_variances.items()}
    assert found == pytest.approx({'moment': math.log(0.75), 'saliency': math.log(6)}, abs=1e-3)
