# SPDX-License-Identifier: Apache-2.0
"""CPU threads follow the size of the model, the load and the command line."""

import os

import pytest
import torch

from vtg.apis.command_line import ArgumentParser
from vtg.utils.threads import PASSIVE, SMALL_MODEL, choose_threads, settle_threads


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    for name in (*PASSIVE, 'OMP_NUM_THREADS'):
        monkeypatch.setenv(name, '')  # brought back afterwards, also where the test sets it
        monkeypatch.delenv(name)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ('parameters', 'cores', 'load', 'threads'),
    [
        (SMALL_MODEL - 1, 16, 0.0, 1),
        (SMALL_MODEL, 16, 0.0, 16),
        (SMALL_MODEL, 16, 1.2, 16),  # this process itself
        (SMALL_MODEL, 16, 5.0, 12),
        (SMALL_MODEL, 2, 9.0, 1),
    ],
)
def test_choice(parameters, cores, load, threads):
    assert choose_threads(parameters, cores, load) == threads


def parser():
    found = ArgumentParser()
    found.add_threads()
    return found


def test_option_goes_first():
    assert parser().parse_args(['--threads', '2']).threads == 2
    with pytest.raises(SystemExit):
        parser().parse_args(['--threads', '1000000'])  # a crash of the process in PyTorch
    assert {name: os.environ[name] for name in PASSIVE} == PASSIVE
    assert settle_threads(torch.nn.Linear(2, 2)).startswith('CPU threads: 2 (as --threads')
    assert torch.get_num_threads() == 2


def test_environment_stays_and_small_models_get_one_thread(monkeypatch):
    monkeypatch.setenv('OMP_WAIT_POLICY', 'ACTIVE')
    parser().parse_args([])
    assert os.environ['OMP_WAIT_POLICY'] == 'ACTIVE' and 'OMP_NUM_THREADS' not in os.environ
    torch.set_num_threads(2)
    assert 'a small model' in settle_threads(torch.nn.Linear(2, 2))
    assert torch.get_num_threads() == 1


def test_other_devices_keep_the_number():
    torch.set_num_threads(2)
    assert 'another device' in settle_threads(torch.nn.Linear(2, 2, device='meta'))
    assert torch.get_num_threads() == 2


def test_threads_are_a_whole_number(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(['--threads', '0'])
    assert 'at least 1' in capsys.readouterr().err
