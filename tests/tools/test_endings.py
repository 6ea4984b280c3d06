# SPDX-License-Identifier: Apache-2.0
"""A training that the machine or the user ends: one sentence, whole files, and a way on."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from programs import Program

ROOT = Path(__file__).resolve().parents[2]
TOY = ROOT / 'tests/engine/helpers/toy.py'
SAFE = 'saved checkpoints are whole, the same command with --resume goes on.\n'


@pytest.fixture
def start(tmp_path):
    """``start(*arguments)``: tools/train.py on the toy; by what, if not as a fork."""

    def run(*arguments, by=Program, variables=None, **options):
        return by(
            [sys.executable, ROOT / 'tools/train.py', TOY, *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                'PYTHONPATH': f'{ROOT}:{ROOT}/tests/engine/helpers',
                'OMP_NUM_THREADS': '1',
                **(variables or {}),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )

    return run


def test_a_full_disk_leaves_whole_checkpoints_to_go_on_from(start, tmp_path):
    limit = (20_000, 20_000)  # the log fits, a checkpoint does not
    first = start(
        # Python itself would leave its bytecode cut off, for all that come later.
        '--work-dir', 'run', by=subprocess.Popen, variables={'PYTHONDONTWRITEBYTECODE': '1'},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )  # fmt: skip
    _, errors = first.communicate(timeout=200)
    assert first.returncode == 1 and len(errors.splitlines()) == 1
    assert 'run/epoch_1.pth cannot be written (File too large)' in errors
    assert errors.rstrip().endswith('.')
    left = {path.name for path in (tmp_path / 'run').rglob('*') if path.is_file()}
    assert not [name for name in left if '.pth' in name]


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_stopped(start, tmp_path, number):
    """With loader workers, which get the signal too."""
    process = start(
        '--work-dir', 'run', '--cfg-options', 'train_cfg.max_epochs=500',
        'train_dataloader.num_workers=1',
    )  # fmt: skip
    while not (tmp_path / 'run/epoch_1.pth').is_file() and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 128 + number, errors
    assert errors.startswith('error: stopped by ') and errors.endswith(SAFE)
    assert len(errors.splitlines()) == 1
    assert not list((tmp_path / 'run').glob('.*.pth.*'))
    # The workers end too; the system may take a moment to remove them.
    end = time.monotonic() + 60
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(process.pid, 0)
            time.sleep(0.05)


def test_places_that_cannot_hold_a_run(start, tmp_path):
    (tmp_path / 'file').write_text('mine')
    for place, words in (
        ('file', 'it is a file where a folder is expected'),
        ('file/run', 'a part of the path is a file'),
    ):
        process = start('--work-dir', place)
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 1 and len(errors.splitlines()) == 1, errors
        assert errors.startswith('error: ') and f'{place}: ' in errors and words in errors
    assert (tmp_path / 'file').read_text() == 'mine'
