# SPDX-License-Identifier: Apache-2.0
"""Loader workers that freeze with all their threads while the main process fetches from them."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner
from programs import Program
from torch.utils.data import DataLoader

from vtg.engine.loader import LOADER_TIMEOUT, WatchedLoader
from vtg.engine.runner import GroundingRunner

ROOT = Path(__file__).resolve().parents[2]
HELPERS = ROOT / 'tests/engine/helpers'


def start(folder, *command):
    return Program(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': f'{ROOT}:{HELPERS}', 'OMP_NUM_THREADS': '1'},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def end(process):
    """Status and standard error of a program; nothing of it is left."""
    try:
        _, errors = process.communicate(timeout=100)
    finally:
        left = True
        over = time.monotonic() + 20  # the system may take a moment to remove the workers
        while left and time.monotonic() < over:
            try:
                os.killpg(process.pid, 0)
                time.sleep(0.05)
            except ProcessLookupError:
                left = False
        if left:
            os.killpg(process.pid, signal.SIGKILL)
    assert not left
    return process.returncode, errors


CODE = """
import sys
import torch
from freezing import freeze
from vtg.engine.runner import GroundingRunner
from vtg.utils import run_main

class Samples:
    def __len__(self):
        return 6
    def __getitem__(self, index):
        if index == 4:
            freeze(sys.argv[1])
        return torch.zeros(10**6), 'x' * 10**6

def main():
    loader = dict(dataset=Samples(), batch_size=1, num_workers=2, timeout=2, collate_fn=list,
                  persistent_workers=True, sampler=dict(type='DefaultSampler', shuffle=False))
    for batch in GroundingRunner.build_dataloader(loader):
        pass

run_main(main, 'all is whole')
"""


def test_a_worker_freezes_while_a_batch_is_fetched(tmp_path):
    """Side by side: they wait most of the time."""
    moments = ('handle', 'message', 'end')
    processes = {moment: start(tmp_path, '-c', CODE, moment) for moment in moments}
    found = {moment: end(process) for moment, process in processes.items()}
    assert found.pop('end') == (0, '')  # everything was delivered, and the program ends
    for status, errors in found.values():
        assert status == 1 and len(errors.splitlines()) == 1, errors
        assert errors.startswith('error: no loader worker answered for 2 seconds; ')
        assert errors.endswith('all is whole.\n')


def test_trainings_do_not_wait_for_frozen_workers(tmp_path):
    processes = [
        start(
            tmp_path, ROOT / 'tools/train.py', HELPERS / 'toy.py', '--work-dir', split,
            '--cfg-options', f'{split}_dataloader.num_workers=1',
            f'+{split}_dataloader.timeout=2',
            f'+{split}_dataloader.worker_init_fn={{"type": "freezing.freeze_at_handle"}}',
        )
        for split in ('train', 'val')
    ]  # fmt: skip
    for status, errors in map(end, processes):
        assert status == 1 and len(errors.splitlines()) == 1, errors
        assert errors.startswith('error: no loader worker answered for 2 seconds; ')


class Numbers:
    """Six samples that take their time."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        time.sleep(0.25)
        return torch.tensor(index)


def loader(**options):
    sampler = dict(type='DefaultSampler', shuffle=False)
    return dict(dataset=Numbers(), batch_size=2, sampler=sampler, **options)


def test_workers_that_are_only_slow_are_waited_for():
    """Together the batches take longer than the timeout, each of them does not."""
    built = GroundingRunner.build_dataloader(
        loader(num_workers=1, timeout=1, persistent_workers=True, collate_fn=list)
    )
    assert isinstance(built, WatchedLoader)
    for _ in range(2):
        begin = time.monotonic()
        assert [list(map(int, batch)) for batch in built] == [[0, 1], [2, 3], [4, 5]]
        assert time.monotonic() - begin > 1


@pytest.mark.parametrize('cuda', [True, False])
def test_batches_are_pinned_for_a_gpu_unless_the_config_says_no(monkeypatch, cuda):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: cuda)
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '0')  # MMEngine's logger asks
    assert GroundingRunner.build_dataloader(loader()).pin_memory == cuda
    assert not GroundingRunner.build_dataloader(loader(pin_memory=False)).pin_memory


def test_random_numbers_are_drawn_as_by_the_plain_loader():
    """The seeds of workers come from the main process's generator, when the loop begins."""
    drawn = []
    for build in (GroundingRunner.build_dataloader, Runner.build_dataloader):
        torch.manual_seed(0)
        built = build(loader(num_workers=1, timeout=60))
        assert isinstance(built, DataLoader)
        iterator = iter(built)
        drawn.append(torch.rand(1))
        list(iterator)
    assert drawn[0] == drawn[1]


def test_workers_end_with_the_training(toy_train):
    splits, options = ('train', 'val'), {}
    options |= {f'{split}_dataloader.num_workers': 1 for split in splits}
    options |= {f'+{split}_dataloader.persistent_workers': True for split in splits}
    runner = toy_train(options)
    assert runner.train_dataloader.persistent_workers and not active_children()
    assert len(list(runner.train_dataloader)) == len(runner.train_dataloader)  # new ones
    runner.train_dataloader.end_workers()
    assert not active_children()


def test_loader_workers_are_not_waited_for_without_end(toy_config):
    cfg = toy_config({'train_dataloader.num_workers': 1})
    assert GroundingRunner.build_dataloader(cfg.train_dataloader).timeout == LOADER_TIMEOUT
    cfg = toy_config({'train_dataloader.num_workers': 1, '+train_dataloader.timeout': 7})
    assert GroundingRunner.build_dataloader(cfg.train_dataloader).timeout == 7
    cfg = toy_config({'train_dataloader.num_workers': 0, '+train_dataloader.timeout': 7})
    assert GroundingRunner.build_dataloader(cfg.train_dataloader).timeout == 0
