# SPDX-License-Identifier: Apache-2.0
"""Optimizer wrappers."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from vtg.engine import AutocastOptimWrapper, GroundingOptimWrapper, NanGuardHook
from vtg.engine.hooks.nan_guard import NonFiniteLossError
from vtg.registry import OPTIM_WRAPPERS
from vtg.utils import ConfigError


class CountReads(TorchDispatchMode):
    """Counts the copies of single values to the host."""

    reads = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.reads += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_clipping_equals_torch_and_reads_nothing_back():
    model, twin = nn.Linear(5, 5), nn.Linear(5, 5)
    twin.load_state_dict(model.state_dict())
    data = torch.randn(3, 5)
    wrapper = GroundingOptimWrapper(
        torch.optim.SGD(model.parameters(), lr=1.0), clip_grad={'max_norm': 0.1}
    )
    model(data).square().sum().backward()
    with CountReads() as count:
        wrapper._clip_grad()
    assert count.reads == 0
    wrapper.optimizer.step()
    twin(data).square().sum().backward()
    norm = nn.utils.clip_grad_norm_(twin.parameters(), 0.1)
    torch.optim.SGD(twin.parameters(), lr=1.0).step()
    assert torch.equal(wrapper.grad_norm, norm)
    assert torch.equal(model.weight, twin.weight)


def test_bfloat16_on_the_cpu():
    model = nn.Linear(5, 5)
    wrapper = AutocastOptimWrapper(
        torch.optim.AdamW(model.parameters(), lr=0.1), clip_grad={'max_norm': 1}
    )
    before = model.weight.clone()
    with wrapper.optim_context(model):
        out = model(torch.randn(3, 5))
    assert out.dtype == torch.bfloat16
    wrapper.update_params(out.float().square().mean())
    assert model.weight.dtype == torch.float32 and not torch.equal(model.weight, before)
    assert wrapper.scaler is None and 'loss_scaler' not in wrapper.state_dict()
    wrapper.load_state_dict(wrapper.state_dict())


def test_float16_needs_cuda():
    optimizer = torch.optim.AdamW(nn.Linear(2, 2).parameters())
    with pytest.raises(ConfigError, match='bfloat16'):
        AutocastOptimWrapper(optimizer, dtype='float16')
    with pytest.raises(ConfigError, match="dtype is 'half'"):
        OPTIM_WRAPPERS.build(dict(type='AutocastOptimWrapper', optimizer=optimizer, dtype='half'))


def test_skipped_steps_are_counted_and_stop_the_run():
    model = nn.Linear(5, 5)
    wrapper = AutocastOptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    wrapper.scaler = torch.amp.GradScaler('cpu', init_scale=4.0)
    before, counts = model.weight.clone(), []
    for factor in (1.0, float('inf'), float('inf'), 1.0, float('inf'), float('inf'), float('inf')):
        wrapper.update_params(factor * model(torch.ones(5)).sum())
        counts.append(int(wrapper.skipped))
    assert counts == [0, 1, 2, 0, 1, 2, 3] and not torch.equal(model.weight, before)

    guard = NanGuardHook(max_skipped=4)
    runner = SimpleNamespace(optim_wrapper=wrapper, epoch=2)
    guard.after_train_iter(runner, 7, outputs={'loss': torch.tensor(1.0)})
    wrapper.update_params(float('inf') * model(torch.ones(5)).sum())
    with pytest.raises(
        NonFiniteLossError, match=r'gradients of 4 steps in a row .*epoch 3, step 9'
    ):
        guard.after_train_iter(runner, 8, outputs={'loss': torch.tensor(1.0)})


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_half_precision_on_cuda(dtype):
    model = nn.Linear(5, 5).cuda()
    wrapper = AutocastOptimWrapper(
        torch.optim.AdamW(model.parameters(), lr=0.1), dtype=dtype, clip_grad={'max_norm': 1}
    )
    before = model.weight.clone()
    with wrapper.optim_context(model):
        out = model(torch.randn(3, 5, device='cuda'))
    assert out.dtype == getattr(torch, dtype)
    wrapper.update_params(out.float().square().mean())
    assert not torch.equal(model.weight, before)
    wrapper.load_state_dict(wrapper.state_dict())


def grouped(kind=torch.optim.AdamW, **settings):
    """An optimizer as MMEngine makes it for ``paramwise_cfg``: one group per parameter."""
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    groups = [
        {'params': [parameter], 'weight_decay': 0.5 if parameter.ndim > 1 else 0.0}
        for parameter in model.parameters()
    ]
    return model, kind(groups, lr=0.1, **settings)


def test_groups_with_equal_settings_are_joined():
    model, optimizer = grouped()
    wrapper = GroundingOptimWrapper(optimizer)
    groups = optimizer.param_groups
    assert [group['weight_decay'] for group in groups] == [0.5, 0.0]
    assert [len(group['params']) for group in groups] == [2, 4]
    assert {id(x) for group in groups for x in group['params']} == set(map(id, model.parameters()))
    assert wrapper.base_param_settings is not None


@pytest.mark.parametrize('kind', [torch.optim.AdamW, torch.optim.Adam, torch.optim.SGD])
def test_fused_joined_steps_equal_plain_ones(kind):
    (model, optimizer), (twin, plain) = grouped(kind), grouped(kind, fused=False)
    twin.load_state_dict(model.state_dict())
    wrapper = GroundingOptimWrapper(optimizer, clip_grad={'max_norm': 0.5})
    assert all(group['fused'] for group in optimizer.param_groups)
    for _ in range(3):
        data = torch.randn(5, 3)
        wrapper.update_params(model(data).square().sum())
        plain.zero_grad()
        twin(data).square().sum().backward()
        nn.utils.clip_grad_norm_(twin.parameters(), 0.5)
        plain.step()
    for ours, theirs in zip(model.parameters(), twin.parameters()):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ('kind', 'settings'),
    [
        (torch.optim.AdamW, {'fused': False}),
        (torch.optim.AdamW, {'foreach': True}),
        (torch.optim.NAdam, {}),
        (torch.optim.Adamax, {}),
    ],
)
def test_an_optimizer_without_a_fused_kernel_or_with_a_choice_stays(kind, settings):
    model, optimizer = grouped(kind, **settings)
    wrapper = GroundingOptimWrapper(optimizer)
    assert not any(group.get('fused') for group in optimizer.param_groups)
    wrapper.update_params(model(torch.randn(5, 3)).square().sum())


def test_a_step_is_a_handful_of_operations_whatever_the_number_of_parameters():
    def operations(layers: int) -> int:
        model = nn.Sequential(*(nn.Linear(3, 3) for _ in range(layers)))
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        wrapper = GroundingOptimWrapper(optimizer, clip_grad={'max_norm': 1.0})
        model(torch.randn(2, 3)).sum().backward()
        wrapper.step()
        with CountAll() as count:
            wrapper.step()
        return count.calls

    # Tensors of a list are detached one by one on the way.
    assert operations(20) - operations(2) <= 2 * 18 * 2


class CountAll(TorchDispatchMode):
    """Counts all operations."""

    calls = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.calls += 1
        return func(*args, **(kwargs or {}))
