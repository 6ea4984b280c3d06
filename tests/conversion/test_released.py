# SPDX-License-Identifier: Apache-2.0
"""Published files are read without running what is in them."""

import argparse
import sys
import types

import pytest
import torch

from vtg.conversion import read_published
from vtg.utils import CheckpointError

WEIGHTS = {'a.weight': torch.arange(3.0), 'b': torch.ones(1)}


class EasyDict(dict):
    """Stores every key as an attribute as well, as the package of that name does."""

    def __init__(self, **values):
        super().__init__(values)
        self.__dict__.update(values)


@pytest.fixture
def easydict(monkeypatch):
    """Pickle the class as if it came from its package, which the reader does not have."""
    module = types.ModuleType('easydict')
    module.EasyDict = EasyDict
    monkeypatch.setattr(EasyDict, '__module__', 'easydict')
    monkeypatch.setitem(sys.modules, 'easydict', module)
    return EasyDict


class Runs:
    """Would create a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


def assert_weights(found):
    assert found.keys() == WEIGHTS.keys()
    assert all(torch.equal(found[key], value) for key, value in WEIGHTS.items())


@pytest.mark.parametrize('prefix', ['', 'module.', 'model.'])
@pytest.mark.parametrize('place', [None, 'model', 'state_dict'])
def test_places_and_prefixes(tmp_path, prefix, place):
    weights = {prefix + key: value for key, value in WEIGHTS.items()}
    torch.save(weights if place is None else {place: weights, 'epoch': 3}, tmp_path / 'x.ckpt')
    assert_weights(read_published(tmp_path / 'x.ckpt'))


def test_options_of_the_run_are_allowed(tmp_path, easydict, monkeypatch):
    options = argparse.Namespace(lr=1e-4, dirs=['a'], inner=easydict(x=1, y=easydict(z=2)))
    torch.save({'model': WEIGHTS, 'opt': options, 'epoch': 3}, tmp_path / 'x.ckpt')
    monkeypatch.delitem(sys.modules, 'easydict')
    before = set(torch.serialization.get_safe_globals())
    assert_weights(read_published(tmp_path / 'x.ckpt'))
    assert set(torch.serialization.get_safe_globals()) == before


def test_code_is_refused_and_does_not_run(tmp_path):
    trace = tmp_path / 'trace'
    torch.save({'model': WEIGHTS, 'opt': Runs(trace)}, tmp_path / 'x.ckpt')
    with pytest.raises(CheckpointError, match='files that carry code are refused'):
        read_published(tmp_path / 'x.ckpt')
    assert not trace.exists()


def test_no_weights(tmp_path):
    with pytest.raises(CheckpointError, match='does not exist'):
        read_published(tmp_path / 'none.ckpt')
    torch.save({'model': {**WEIGHTS, 'step': 3}}, tmp_path / 'x.ckpt')
    with pytest.raises(CheckpointError, match='no tensors: step'):
        read_published(tmp_path / 'x.ckpt')
