# SPDX-License-Identifier: Apache-2.0
"""Kills at the worst moments, full disks, and two runs in one folder."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from programs import Program, run_program

from vtg.engine import read_checkpoint
from vtg.engine.run_folder import locked
from vtg.utils import CheckpointError, ConfigError

TOY = Path(__file__).parent / 'helpers/toy.py'
# The mean falls in every epoch of the toy, so every validation has a new best checkpoint.
BEST = {'default_hooks.checkpoint.save_best': 'mean', '+default_hooks.checkpoint.rule': 'less'}


class Killed(BaseException):
    """Ends a run where a signal would."""


def state_of(folder):
    """Names of the checkpoints, what is best, and the last weights."""
    folder = Path(folder)
    last = read_checkpoint(folder / 'epoch_3.pth')
    info = last['message_hub']['runtime_info']
    best = read_checkpoint(folder / Path(info['best_ckpt']).name)['state_dict']
    names = sorted(path.name for path in folder.glob('*.pth'))
    return names, info['best_score'], [*last['state_dict'].values(), *best.values()]


def assert_same_end(folder, other):
    (names, score, weights), (*plain, others) = state_of(folder), state_of(other)
    assert [names, score] == plain
    assert all(map(torch.equal, weights, others))


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The folder of an uninterrupted run."""
    folder = tmp_path_factory.mktemp('whole')
    command = [sys.executable, TOY.parent / 'run_training.py', TOY, folder, '--cfg-options']
    run_program([*command, *(f'{key}={value}' for key, value in BEST.items())], check=True)
    assert (folder / 'best_mean_epoch_3.pth').is_file()
    return folder


def test_a_kill_during_validation_changes_no_choice(spawn, toy_train, whole, tmp_path):
    options = [f'{key}={value}' for key, value in BEST.items()]
    killed = spawn(TOY, tmp_path / 'run', '--kill-in-validation', 3, '--cfg-options', *options)
    killed.communicate(timeout=300)
    assert killed.returncode == -9
    assert (tmp_path / 'run/best_mean_epoch_2.pth').is_file()
    runner = toy_train({**BEST, 'resume': 'auto'})
    assert Path(runner.best_checkpoint).name == 'best_mean_epoch_3.pth'
    assert_same_end(tmp_path / 'run', whole)


@pytest.mark.parametrize('after', [False, True])
def test_a_kill_at_any_rename_changes_no_choice(toy_train, whole, tmp_path, monkeypatch, after):
    replace = os.replace
    # Per epoch: the checkpoint, the best one, the checkpoint again.
    for moment in range(3, 9):
        calls = []

        def kill(source, target, calls=calls, moment=moment):
            if str(target).endswith('.pth'):
                calls.append(target)
            if len(calls) == moment + 1 and not after:
                raise Killed
            replace(source, target)
            if len(calls) == moment + 1:
                raise Killed

        monkeypatch.setattr(os, 'replace', kill)
        with pytest.raises(Killed):
            toy_train(BEST, str(moment))
        monkeypatch.setattr(os, 'replace', replace)
        toy_train({**BEST, 'resume': 'auto'}, str(moment))
        assert_same_end(tmp_path / str(moment), whole)


def test_best_files_of_a_repeated_part_are_removed(toy_train, whole, tmp_path):
    toy_train(BEST)
    (tmp_path / 'run/last_checkpoint').write_text('epoch_2.pth')
    (tmp_path / 'run/best_mean_epoch_7.pth').touch()
    runner = toy_train({**BEST, 'resume': 'auto'})
    assert Path(runner.best_checkpoint).name == 'best_mean_epoch_3.pth'
    assert_same_end(tmp_path / 'run', whole)


def test_a_run_that_goes_on_elsewhere_takes_the_best_file_along(toy_train, tmp_path):
    highest = {'default_hooks.checkpoint.save_best': 'mean'}
    toy_train(highest)  # the mean falls, so the first epoch is the best
    runner = toy_train({**highest, 'resume': str(tmp_path / 'run/epoch_2.pth')}, 'other')
    assert runner.best_checkpoint == str(tmp_path / 'other/best_mean_epoch_1.pth')
    assert Path(runner.best_checkpoint).is_file()


@pytest.fixture
def small_files(monkeypatch):
    """``small_files(size)``: no file of this process can grow beyond so many bytes."""
    monkeypatch.setattr(sys, 'dont_write_bytecode', True)  # it would be cut off
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_costs_no_checkpoint(toy_train, tmp_path, small_files):
    wide = {'+model.dim': 2000}
    toy_train({**wide, 'train_cfg.max_epochs': 1})
    before = {path.name: path.read_bytes() for path in (tmp_path / 'run').glob('*.pth')}
    assert min(map(len, before.values())) > 50_000
    small_files(50_000)
    longer = {**wide, 'train_cfg.max_epochs': 2, 'resume': 'auto', 'resume_schedule': 'new'}
    with pytest.raises(CheckpointError, match=r'epoch_2\.pth cannot be written .*--resume\.$'):
        toy_train(longer)
    small_files(resource.RLIM_INFINITY)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / 'run').glob('*.pth')}
    assert not list((tmp_path / 'run').glob('.*.pth*'))
    assert toy_train(longer).epoch == 2


def test_two_processes_in_one_folder(spawn, tmp_path):
    with locked(tmp_path / 'run'), locked(tmp_path / 'run'):
        second = spawn(TOY, tmp_path / 'run')
        output, _ = second.communicate(timeout=300)
    assert second.returncode == 1
    sentence = output.splitlines()[-1]
    assert (
        f'another process is training in {tmp_path / "run"} (process {os.getpid()} on' in sentence
    )
    assert not list((tmp_path / 'run').glob('*.pth'))


def test_a_lock_ends_with_its_block_and_with_its_process(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    code = (
        'import os, sys, time; from vtg.engine.run_folder import locked\n'
        'with locked(sys.argv[1]):\n'
        '    if not os.fork(): time.sleep(60)\n'  # a loader worker that outlives a kill
        '    print("held", flush=True); time.sleep(60)'
    )
    holder = Program(
        [sys.executable, '-c', code, tmp_path], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert holder.stdout.readline() == 'held\n'
        with pytest.raises(ConfigError, match=f'process {holder.pid} on'), locked(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with locked(tmp_path):
            pass
    finally:
        os.killpg(holder.pid, 9)
        holder.stdout.close()


def test_a_second_run_needs_a_folder_of_its_own(toy_train, tmp_path):
    toy_train({'train_cfg.max_epochs': 1})
    before = sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / 'run').iterdir())
    with pytest.raises(
        ConfigError, match=r'holds an earlier run \(best_score_epoch_1\.pth, .*--resume'
    ):
        toy_train({'randomness.seed': 1})
    toy_train({'train_cfg.max_epochs': 1}, 'other')
    with pytest.raises(ConfigError, match='earlier run'):
        toy_train({'resume': str(tmp_path / 'other/epoch_1.pth')})
    after = sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / 'run').iterdir())
    assert before == after
