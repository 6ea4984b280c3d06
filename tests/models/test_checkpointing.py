# SPDX-License-Identifier: Apache-2.0
"""Checkpointing changes what is kept, never a number."""

from pathlib import Path

import pytest
import torch
from systems import EVERY, SYSTEMS, WIDTH, small_system
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from vtg.models.rehearsal import noise_batch
from vtg.structures import Progress
from vtg.utils import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def trained(name, toy, checkpointing):
    torch.manual_seed(0)
    model = small_system(name, change=lambda cfg: cfg.update(checkpointing=checkpointing)).train()
    model.progress = Progress(199, 200)  # all feedback acts
    batch = model.data_preprocessor(toy.batch(video_dim=WIDTH, text_dim=WIDTH), training=True)
    losses = model(**batch, mode='loss')
    sum(loss for key, loss in losses.items() if 'loss' in key).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return losses, gradients, torch.rand(1)


@pytest.mark.parametrize('name', EVERY)
def test_same_losses_and_gradients_with_dropout(name, toy):
    torch.manual_seed(1)
    state = torch.get_rng_state()
    results = []
    for checkpointing in (False, True):
        torch.set_rng_state(state)
        results.append(trained(name, toy, checkpointing))
    (losses, gradients, drawn), (same_losses, same_gradients, same_drawn) = results
    assert losses.keys() == same_losses.keys() and gradients.keys() == same_gradients.keys()
    torch.testing.assert_close(same_losses, losses, rtol=0, atol=0)
    # Sums over two uses of a weight may change their order.
    torch.testing.assert_close(same_gradients, gradients, rtol=1e-5, atol=1e-7)
    assert drawn == same_drawn  # the generator stands where it would without


def test_names_of_stages():
    model = small_system('qd_detr', change=lambda cfg: cfg.update(checkpointing=['encoder']))
    assert model.checkpointed == {'encoder'}
    with pytest.raises(ConfigError, match="checkpointing names 'encoders', which is no stage"):
        small_system('qd_detr', change=lambda cfg: cfg.update(checkpointing=['encoders']))


class Sizes(TorchDispatchMode):
    """The numbers of elements of the tensors that operations made."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        tensors = [x for x in tree_leaves(result) if isinstance(x, torch.Tensor)]
        self.found.update(x.numel() for x in tensors)
        return result


def step_of(name, clips, **changes):
    def change(cfg):
        cfg['defaults']['attention_dropout'] = 0.0
        cfg.update(changes)

    model = small_system(name, change=change).train()
    batch = model.data_preprocessor(noise_batch(model, [clips], [5]), training=True)

    def step():
        losses = model(**batch, mode='loss')
        sum(loss for key, loss in losses.items() if 'loss' in key).backward()

    return step


@pytest.mark.parametrize('name', SYSTEMS)
def test_nothing_grows_with_the_square_of_the_length(name):
    short, half, long = 40, 250, 500
    found = {}
    for clips in (short, half, long):
        with Sizes() as sizes:
            step_of(name, clips)()
        found[clips] = sizes.found
    # What does not depend on the length, such as a memory of earlier samples, is in both.
    middle, most = (max(found[clips] - found[short]) for clips in (half, long))
    # Many words and patches per clip are more than the square of so few clips.
    assert most < long**2 or most <= 2.2 * middle


def test_checkpointing_keeps_less(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'benchmark'))
    import measure

    plain, less = (
        measure.counts(step_of('qd_detr', 300, checkpointing=given))['peak_bytes']
        for given in (False, True)
    )
    assert less < 0.6 * plain
