# SPDX-License-Identifier: Apache-2.0
"""The warning about parameters that no loss reaches."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from vtg.engine.hooks import unused_parameters
from vtg.engine.hooks.unused_parameters import UnusedParametersHook


@pytest.fixture
def warnings(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(unused_parameters, 'print_log', lambda text, *a, **k: said.append(text))
    return said


def test_names_what_no_loss_reaches_once(warnings):
    model = nn.ModuleDict({name: nn.Linear(2, 1) for name in ('used', 'late', 'idle', 'frozen')})
    model['frozen'].requires_grad_(False)
    runner, hook = SimpleNamespace(bare_model=model), UnusedParametersHook()
    hook.before_train(runner)
    for part in (model['used'], model['used'], model['late']):
        part(torch.ones(1, 2)).sum().backward()
        model.zero_grad()
    hook.after_train_epoch(runner)
    hook.after_train_epoch(runner)
    assert warnings == [
        '2 trainable parameters got no gradient in the first epoch: idle.weight, idle.bias; no '
        'loss depends on them.'
    ]
    assert not any(parameter._backward_hooks for parameter in model.parameters())


def test_a_long_list_is_cut(warnings):
    model, hook = nn.Sequential(*(nn.Linear(1, 1) for _ in range(9))), UnusedParametersHook()
    runner = SimpleNamespace(bare_model=model)
    hook.before_train(runner)
    hook.after_train_epoch(runner)
    assert '18 trainable' in warnings[0] and 'and 10 more' in warnings[0]


def test_says_nothing_where_all_learn(warnings):
    model, hook = nn.Linear(2, 1), UnusedParametersHook()
    runner = SimpleNamespace(bare_model=model)
    hook.before_train(runner)
    model(torch.ones(1, 2)).sum().backward()
    hook.after_train_epoch(runner)
    hook.after_train(runner)
    assert warnings == []
