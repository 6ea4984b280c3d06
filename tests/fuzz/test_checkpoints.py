# SPDX-License-Identifier: Apache-2.0
"""Mutated checkpoints: a sentence or a working run, whatever is in the file, and no code at all."""

import copy
import sys
from pathlib import Path

import pytest
import torch
from campaign import ODD_VALUES, mutated_bytes, outcome
from torch import nn

from vtg.apis.train import train
from vtg.engine import load_config, load_weights, read_checkpoint
from vtg.registry import MODELS

HELPERS = Path(__file__).parents[1] / 'engine/helpers'
# Beside the values of JSON: what a file without code can hold in place of a tensor.
ODD = (
    *ODD_VALUES,
    torch.tensor(float('nan')),
    torch.tensor(-1),
    torch.ones(0),
    torch.full((8, 4), float('inf')),
    torch.ones(8, 4, dtype=torch.complex64),
    torch.ones(8, 4, dtype=torch.bool),
    torch.ones(8, 4).to_sparse(),
    torch.empty(8, 4, device='meta'),
    torch.ones(1).expand(10**12),
    {'__counter__': {'x': 'y'}},
    {'__history__': [torch.ones(2), torch.ones(3)], 'max_length': -1},
    nn.Parameter(torch.ones(8)),
    b'bytes', 1j, {1: 2}, {None: {}}, (), ('..', '/etc'), torch.float32, torch.Size([3]),
)  # fmt: skip


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """One epoch of the toy model: its config and its checkpoint."""
    sys.path.insert(0, str(HELPERS))
    cfg = load_config(HELPERS / 'toy.py', {'train_cfg.max_epochs': 2})
    cfg.log_level = 'ERROR'
    cfg.work_dir = str(tmp_path_factory.mktemp('trained'))
    train(cfg)
    yield cfg, Path(cfg.work_dir) / 'epoch_1.pth'
    sys.path.remove(str(HELPERS))


@pytest.fixture
def mutate(trained, inputs, tmp_path):
    """``mutate(share)`` yields a mutated file and the generator of every input."""
    honest = read_checkpoint(trained[1])
    content = trained[1].read_bytes()

    def make(share):
        for number, rng in inputs(share):
            file = tmp_path / f'{number}.pth'
            if rng.random() < 0.25:
                file.write_bytes(mutated_bytes(content, rng))
            else:
                torch.save(mutated(honest, rng), file)
            yield file, rng
            file.unlink()

    return make


def mutated(checkpoint, rng):
    """Replace, remove, rename or double one to three places of nested dicts and lists."""
    value = copy.deepcopy(checkpoint)
    for _ in range(rng.choice((1, 1, 2, 3))):
        # The upper levels have few places; every level is as likely as the others.
        level = rng.randrange(6)
        places = [p for p in _places(value) if p[2] == level] or list(_places(value))
        if not places:
            return value
        container, key, _ = rng.choice(places)
        action = rng.choice(('replace', 'replace', 'replace', 'remove', 'rename', 'swap', 'nan'))
        if action == 'remove':
            del container[key]
        elif action == 'rename' and isinstance(container, dict):
            container[rng.choice((f'{key}x', 7, None, '', '../x', '\x1b[2J'))] = container.pop(key)
        elif action == 'swap':
            other, name, _ = rng.choice(list(_places(value)))
            container[key] = copy.deepcopy(other[name])
        elif action == 'nan' and isinstance(container[key], torch.Tensor):
            container[key] = torch.full_like(container[key].double(), float('nan'))
        else:
            container[key] = copy.deepcopy(rng.choice(ODD))
    return value


def _places(value, level=0):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        yield value, key, level
        if isinstance(item, dict | list):
            yield from _places(item, level + 1)


def all_finite(model):
    return all(value.isfinite().all() for value in model.state_dict().values())


def test_weights_for_evaluation(trained, mutate):
    model = MODELS.build(trained[0].model)
    seen = set()
    for file, _ in mutate(24):
        result = outcome(lambda file=file: load_weights(model, file))
        seen.add(type(result))
        assert all_finite(model)
        progress = model.progress
        assert type(progress.epoch) is int and type(progress.max_epochs) is int
    assert seen == {str, dict}  # some are refused, and some changed a part that is not read


@pytest.mark.parametrize('option', ['load_from', 'resume'])
def test_training_from_a_file(trained, mutate, tmp_path, monkeypatch, option):
    bait = tmp_path / 'annotations.py'
    bait.touch()
    seen = set()
    for number, (file, _) in enumerate(mutate(8)):
        cfg = trained[0].copy()
        cfg.work_dir = str(tmp_path / str(number))
        cfg[option] = str(file)
        # Whatever hooks are at work: a share of the runs has none of those that look at the file.
        if number % 3 == 0:
            cfg.default_hooks |= {'resume_guard': None, 'plain_checkpoint': None}
        runner = outcome(lambda cfg=cfg: train(cfg))
        seen.add(isinstance(runner, str))
        if not isinstance(runner, str):
            assert runner.epoch == 2 and all_finite(runner.model)
            assert Path(runner.best_checkpoint).is_file()
    assert seen == {True, False} and bait.exists()
