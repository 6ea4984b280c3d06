# SPDX-License-Identifier: Apache-2.0
"""Where training stands is a part of the weights."""

import copy
import pickle

import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn

from vtg.engine import load_weights
from vtg.models.training_progress import TrainingProgress
from vtg.structures import PROGRESS_KEY, Progress


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.training_progress = TrainingProgress()


def test_bare_state_dicts_carry_it(sgdetr, tmp_path):
    model, other = sgdetr(), sgdetr()
    model.progress = Progress(3, 7)
    assert model.progress == Progress(3, 7) and other.progress == Progress(0, 1)
    state = model.state_dict()
    assert state[PROGRESS_KEY].tolist() == [3, 7]
    torch.save(state, tmp_path / 'bare.pth')
    load_weights(other, tmp_path / 'bare.pth')
    assert other.progress == Progress(3, 7)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model.training_progress))):
        assert twin.progress == Progress(3, 7)


@pytest.mark.parametrize(('meta', 'epoch'), [({}, (5, 9)), ({'epoch': 2, 'max_epochs': 4}, (1, 4))])
def test_old_checkpoints_take_it_from_their_meta(tmp_path, meta, epoch):
    source, model = Model(), Model()
    state = {key: value for key, value in source.state_dict().items() if key != PROGRESS_KEY}
    torch.save({'state_dict': state, 'meta': meta}, tmp_path / 'old.pth')
    model.training_progress.set(Progress(5, 9))
    # The model of the engine has the attribute itself.
    type(model).progress = property(
        lambda self: self.training_progress.progress,
        lambda self, value: self.training_progress.set(value),
    )
    load_weights(model, tmp_path / 'old.pth')
    assert model.progress == Progress(*epoch)
    assert torch.equal(model.layer.weight, source.layer.weight)


@pytest.mark.parametrize('buffers', [True, False])
def test_averages_of_the_weights_follow(buffers):
    model = Model()
    average = ExponentialMovingAverage(model, momentum=0.5, update_buffers=buffers)
    model.training_progress.set(Progress(4, 8))
    average.update_parameters(model)
    average.eval()
    assert average.module.training_progress.progress == Progress(4, 8)


def test_without_values_the_copy_stays():
    model = TrainingProgress()
    model.set(Progress(2, 3))
    model.to('meta').eval()
    assert model.progress == Progress(2, 3)
