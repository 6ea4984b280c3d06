# SPDX-License-Identifier: Apache-2.0
"""A loss that is no number stops the run and is named."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from vtg.engine import NanGuardHook, SparseRuntimeInfoHook
from vtg.utils import VtgError


class CountReads(TorchDispatchMode):
    """Counts the copies of single values to the host."""

    reads = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.reads += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_a_run_with_nan_stops_before_it_saves(toy_train, tmp_path):
    with pytest.raises(VtgError) as caught:
        toy_train({'+model.nan_at': 5})
    text = str(caught.value)
    assert text.startswith('loss_abs became NaN or infinite in epoch 2, step 2 (samples ')
    assert text.count(' of video v') == 8
    assert (tmp_path / 'run/epoch_1.pth').exists() and not (tmp_path / 'run/epoch_2.pth').exists()


def _step(value, norm=1.0, epoch=0):
    runner = SimpleNamespace(
        epoch=epoch,
        iter=0,
        optim_wrapper=SimpleNamespace(grad_norm=torch.tensor(norm)),
        train_dataloader=range(10**6),
    )
    outputs = {
        'loss': torch.tensor(value),
        'loss_a': torch.tensor(value),
        'raw_b': torch.tensor(0.0),
    }
    return runner, outputs


def _batch(index):
    return {'meta': [{'qid': index, 'vid': f'v{index}'}]}


def test_flags_are_read_together_and_point_to_the_first_bad_step():
    guard = NanGuardHook(interval=4)
    for index, value in enumerate((1.0, float('inf'), float('nan'))):
        runner, outputs = _step(value)
        guard.after_train_iter(runner, index, _batch(index), outputs)
    runner, outputs = _step(1.0)
    with pytest.raises(
        VtgError, match=r'^loss_a became .* epoch 1, step 2 \(samples 1 of video v1\)'
    ):
        guard.after_train_iter(runner, 3, _batch(3), outputs)


@pytest.mark.parametrize('stage', ['after_train_epoch', 'before_save_checkpoint'])
def test_a_rest_is_read_before_anything_is_saved(stage):
    guard = NanGuardHook(interval=100)
    runner, outputs = _step(1.0, norm=float('nan'))
    guard.after_train_iter(runner, 0, _batch(0), outputs)
    with pytest.raises(VtgError, match='the gradient norm became NaN'):
        getattr(guard, stage)(runner, *([{}] if 'save' in stage else []))


def test_ordinary_steps_read_nothing_from_the_device():
    hooks = [NanGuardHook(interval=100), SparseRuntimeInfoHook(interval=100)]
    runner, outputs = _step(1.0)
    with CountReads() as count:
        for index in range(50):
            for hook in hooks:
                hook.after_train_iter(runner, index, _batch(index), outputs)
    assert count.reads == 0
