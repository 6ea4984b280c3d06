# SPDX-License-Identifier: Apache-2.0
"""A training step stays on its device, and the host reads it at one place.

Tensors on PyTorch's ``meta`` device have shapes and no numbers: whatever mixes them with a tensor
left on the host, or needs one of their numbers, fails.
"""

from typing import Any

import pytest
import torch
from systems import EVERY, SYSTEMS, WIDTH, small_system
from torch.overrides import TorchFunctionMode

from vtg.models.task_modules import HungarianMatcher, MatchInputs

# Everywhere the lines of the models, which other tests count.
pytestmark = pytest.mark.no_cover
# Reading from a device, and copying host memory to it, which waits for the device as well.
READS = ('cpu', 'item', 'tolist', 'nonzero', '__bool__', '__int__', '__float__', '__index__')
CREATES = ('tensor', 'as_tensor')


class HostReads(TorchFunctionMode):
    """Collects the names of the calls that wait for the device."""

    def __init__(self, device: str = 'cpu') -> None:
        super().__init__()
        self.device = device
        self.calls: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, '__name__', '')
        on_device = any(isinstance(x, torch.Tensor) and x.device.type == self.device for x in args)
        placed = str(kwargs.get('device', '')).startswith(self.device)
        if (name in READS and on_device) or (name in CREATES and placed):
            self.calls.append(name)
        return func(*args, **kwargs)


@pytest.fixture
def assigned(monkeypatch) -> list[int]:
    """Replace the matching by a fixed one; returns the sizes that were asked for."""
    sizes: list[int] = []

    def match(self: Any, inputs: MatchInputs, gts: torch.Tensor, mask: torch.Tensor) -> Any:
        shape = inputs.spans.shape
        sizes.append(shape[-2])
        index = torch.arange(gts.shape[1], device=gts.device).expand(*shape[:-2], -1)
        return (index % shape[-2]).masked_fill(~mask, -1)

    monkeypatch.setattr(HungarianMatcher, '__call__', match)
    return sizes


@pytest.mark.parametrize('name', EVERY)
def test_step_without_numbers(name, toy, assigned):
    # The published forms differ in what a layer does, not between layers or in their gradients.
    model = small_system(name).train().to('meta')
    batch = toy.batch(video_dim=WIDTH, text_dim=WIDTH)
    with HostReads('meta') as reads:
        inputs = model.data_preprocessor(batch, training=True)
        losses = model(**inputs, mode='loss')
        if name in SYSTEMS:
            sum(loss for key, loss in losses.items() if 'loss' in key).backward()
    assert not reads.calls
    assert losses and {loss.device.type for loss in losses.values()} == {'meta'}
    assert name not in SYSTEMS or {
        p.grad.device.type for p in model.parameters() if p.grad is not None
    } == {'meta'}
    # One matching per matcher, whose only copy to the host the next test counts: that of moments,
    # and that of events where slots find some.
    matchers = [module for module in model.modules() if hasattr(module, 'matcher')]
    assert len(assigned) == len(matchers) <= 2


def test_matching_reads_once(toy):
    costs = {
        'span': dict(type='L1SpanCost'),
        'giou': dict(type='GIoUCost'),
        'class': dict(type='ClassCost'),
    }
    spans = torch.rand(3, 2, 6, 2)
    inputs = MatchInputs(torch.randn(3, 2, 6, 1), spans, mask=torch.ones(2, 6).bool())
    with HostReads() as reads:
        HungarianMatcher(costs)(inputs, torch.rand(2, 2, 2), torch.ones(2, 2).bool())
    assert reads.calls == ['cpu']


@pytest.mark.parametrize('name', SYSTEMS)
def test_prediction_reads_per_batch(name, toy):
    model = small_system(name).eval()

    def reads(clips: tuple[int, ...]) -> list[str]:
        words = (3,) * len(clips)
        batch = toy.batch(clips, words, video_dim=WIDTH, text_dim=WIDTH)
        inputs = model.data_preprocessor(batch)
        with torch.no_grad(), HostReads() as counted:
            model(**inputs, mode='predict')
        return counted.calls

    assert len(reads((12, 9))) == len(reads((12, 9, 8, 7, 12, 11))) <= 12
