# SPDX-License-Identifier: Apache-2.0
"""How the losses of the tasks are combined."""

import math

import pytest
import torch

from vtg.models.losses import FixedBalancer, UncertaintyBalancer

LOSSES = {
    'moment': {'loss_span': torch.tensor(2.0), 'loss_label': torch.tensor(3.0)},
    'saliency': {'loss_saliency': torch.tensor(5.0)},
    'auxiliary': {'loss_other': torch.tensor(7.0)},
}


def total(losses):
    return sum(value for name, value in losses.items() if 'loss' in name)


def test_fixed_balancer_sums():
    assert FixedBalancer()(LOSSES) == {
        'loss_span': 2, 'loss_label': 3, 'loss_saliency': 5, 'loss_other': 7
    }  # fmt: skip
    halved = FixedBalancer({'moment': 0.5, 'auxiliary': 0.0})(LOSSES)
    assert total(halved).item() == 0.5 * 5 + 5


def test_uncertainty_by_hand():
    balancer = UncertaintyBalancer({'moment': 1.0, 'saliency': 2.0})
    assert total(balancer(LOSSES)).item() == 5 + 2 * 5 + 7  # all variances start at 1
    with torch.no_grad():
        balancer.log_variances['moment'].fill_(0.5)
        balancer.log_variances['saliency'].fill_(-1.0)
    out = balancer(LOSSES)
    expected = math.exp(-0.5) * 5 + 0.5 + 2 * math.exp(1.0) * 5 - 1.0 + 7
    assert total(out).item() == pytest.approx(expected)
    logged = {name for name in out if 'loss' not in name}
    assert logged == {'log_variance_moment', 'log_variance_saliency'}
    assert not any(out[name].requires_grad for name in logged)


def test_the_best_variance_is_the_loss():
    balancer = UncertaintyBalancer({'moment': 1.0})
    with torch.no_grad():
        balancer.log_variances['moment'].fill_(math.log(5.0))
    total(balancer(LOSSES)).backward()
    assert balancer.log_variances['moment'].grad.item() == pytest.approx(0, abs=1e-6)


def test_a_task_without_losses_drops_out():
    balancer = UncertaintyBalancer({'moment': 1.0, 'saliency': 1.0})
    with torch.no_grad():
        balancer.log_variances['saliency'].fill_(3.0)
    out = balancer({'moment': LOSSES['moment']})
    assert 'log_variance_saliency' not in out and total(out).item() == 5
