# SPDX-License-Identifier: Apache-2.0
"""The tools end with a sentence and a status."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from programs import Program, run_program
from torch.utils.data import DataLoader

from vtg.utils import DataError, run_main

ROOT = Path(__file__).resolve().parents[2]


class Broken:
    """A dataset whose only sample cannot be read."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> None:
        raise DataError('a.npz is truncated; copy it again.')


@pytest.mark.parametrize('workers', [0, 1])
def test_an_error_is_one_sentence(capsys, workers):
    with pytest.raises(SystemExit) as caught:
        run_main(lambda: list(DataLoader(Broken(), num_workers=workers)))
    assert caught.value.code == 1
    assert capsys.readouterr().err == 'error: a.npz is truncated; copy it again.\n'


def test_developers_see_what_led_to_a_sentence(capsys, monkeypatch):
    monkeypatch.setenv('VTG_TRACEBACK', '1')

    def main():
        try:
            raise ZeroDivisionError('the cause')
        except ZeroDivisionError as error:
            raise DataError('a.npz is empty; copy it again.') from error

    with pytest.raises(SystemExit) as caught:
        run_main(main)
    errors = capsys.readouterr().err
    assert caught.value.code == 1 and errors.endswith('error: a.npz is empty; copy it again.\n')
    assert 'Traceback' in errors and 'ZeroDivisionError: the cause' in errors


def test_status_is_that_of_the_function():
    for status in (None, 0, 3):
        with pytest.raises(SystemExit) as caught:
            run_main(lambda status=status: status)
        assert caught.value.code == (status or 0)


def test_bugs_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run_main(lambda: 1 / 0)


def test_terminals_are_told_no_commands(capsys):
    def main():
        raise DataError('id \x1b[31mx is odd:\n  second line\x07.')

    with pytest.raises(SystemExit):
        run_main(main)
    printed = capsys.readouterr().err
    assert printed == 'error: id \\x1b[31mx is odd:\n  second line\\x07.\n'


PROLOGUE = """
import logging, os, signal, sys, time
from vtg.utils import run_main

class Samples:
    def __len__(self):
        return 8
    def __getitem__(self, index):
        if index == 4:
            act()
        return index

def load(**options):
    from torch.utils.data import DataLoader
    for batch in DataLoader(Samples(), num_workers=2, collate_fn=list, **options):
        print(batch, flush=True)
"""


def run(code, *, shell='{}', **options):
    """Run code that may use the prologue; return status and standard error."""
    command = shell.format(f'{sys.executable} -c "$CODE"')
    done = subprocess.run(
        ['bash', '-c', command],
        env={
            **os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1', 'CODE': PROLOGUE + code
        },
        capture_output=True, text=True, timeout=120, **options,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ('action', 'options', 'words'),
    [
        ('os.kill(os.getpid(), signal.SIGKILL)', '', ('was killed or crashed', 'num_workers')),
        ('sys.exit(3)', '', ('was killed or crashed', 'num_workers')),
        ('os.kill(os.getpid(), signal.SIGSTOP)', 'timeout=2, persistent_workers=True',
         ('no loader worker answered for 2 seconds', '+train_dataloader.timeout=')),
        ("open('none/x.npz')", '', ('none/x.npz: no such file',)),
    ],
)  # fmt: skip
def test_loader_workers(action, options, words):
    code = f'act = lambda: {action}\nrun_main(lambda: load({options}), "all is whole")\n'
    ended = run_program([sys.executable, '-c', PROLOGUE + code])
    errors = ended.stderr
    assert ended.returncode == 1 and len(errors.strip().splitlines()) == 1
    assert errors.startswith('error: ') and errors.endswith('.\n')
    for word in words:
        assert word in errors


def test_a_reader_that_goes_away_gets_no_traceback():
    code = 'run_main(lambda: [print(n) for n in range(10**6)] and 0)'
    assert run(code, shell='{} | head -n 1 > /dev/null; exit ${{PIPESTATUS[0]}}') == (141, '')


def test_help_for_a_reader_that_goes_away():
    code = (
        'import argparse\n'
        'def main():\n'
        '    time.sleep(1)\n'
        "    argparse.ArgumentParser(description='x ' * 99999).parse_args(['-h'])\n"
        'run_main(main)'
    )
    assert run(code, shell='{} | true; exit ${{PIPESTATUS[0]}}')[1] == ''


def test_text_that_the_terminal_cannot_show():
    """What its encoding lacks, and names of files that are no text, are escaped."""
    code = (
        'from vtg.utils import run_main\n'
        "run_main(lambda: print('2 \\u00b1 1', 'v\\udcff.mp4', '\\u65e5'))"
    )
    for encoding, shown in (('ascii', b'2 \\xb1 1 v\\udcff.mp4 \\u65e5\n'),
                            ('utf-8', '2 ± 1 v\\udcff.mp4 日\n'.encode())):  # fmt: skip
        done = subprocess.run(
            [sys.executable, '-c', code], capture_output=True, timeout=100,
            env={**os.environ, 'PYTHONIOENCODING': encoding, 'PYTHONPATH': str(ROOT)},
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, shown), done.stderr


def test_full_disk_under_the_output_and_the_log():
    status, errors = run('run_main(lambda: print("x"))', shell='{} > /dev/full')
    assert status == 1 and errors.startswith('error: the disk is full')
    code = (
        'def main():\n'
        "    logging.getLogger().addHandler(logging.FileHandler('/dev/full'))\n"
        "    logging.warning('x')\n"
        'run_main(main)'
    )
    status, errors = run(code)
    assert status == 1 and errors.startswith('error: /dev/full: the disk is full')
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize(
    ('number', 'name'), [(signal.SIGINT, 'Ctrl-C'), (signal.SIGTERM, 'SIGTERM')]
)
def test_a_request_to_stop(number, name):
    code = (
        f'run_main(lambda: os.kill(os.getpid(), {int(number)}) or time.sleep(60), "all is whole")'
    )
    assert run(code) == (128 + number, f'error: stopped by {name}; all is whole.\n')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_is_not_lost_where_nothing_can_be_raised(number):
    code = (
        'class Last:\n'
        '    def __del__(self):\n'
        f'        os.kill(os.getpid(), {int(number)})\n'
        '        time.sleep(0.1)\n'
        'def main():\n'
        '    Last()\n'
        '    time.sleep(60)\n'
        'run_main(main)'
    )
    status, errors = run(code)
    assert status == 128 + number and len(errors.splitlines()) == 1


def test_workers_end_with_the_program():
    """Ctrl-C reaches the workers too; neither they nor frozen ones stay, and none complains."""
    code = 'act = lambda: os.kill(os.getpid(), signal.SIGSTOP)\nrun_main(load)'
    process = Program(
        [sys.executable, '-c', PROLOGUE + code],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    process.stdout.readline()
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and errors.count('\n') == 1, errors
    end = time.monotonic() + 60  # the system may take a moment to remove them
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(process.pid, 0)
            time.sleep(0.05)


def test_a_worker_that_ends_while_the_others_are_ended():
    """PyTorch's handler raises in the call that takes it away."""
    code = """
import os, signal, multiprocessing, time
from vtg.utils import DataError, run_main

def worker():
    time.sleep(60)

def main():
    multiprocessing.get_context('fork').Process(target=worker).start()
    time.sleep(0.5)  # so that it has begun, with the signals of a worker
    def raises(*_):
        raise RuntimeError('DataLoader worker (pid(s) 1) exited unexpectedly')
    signal.signal(signal.SIGCHLD, raises)
    original = signal.signal
    def at_worst(number, handler):
        if number == signal.SIGCHLD and signal.getsignal(number) is raises and left:
            left.pop()
            os.kill(os.getpid(), signal.SIGCHLD)
            time.sleep(0.01)
        return original(number, handler)
    left = [1, 2]
    signal.signal = at_worst
    raise DataError('a sentence.')

run_main(main)
"""
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=50)
    assert (run.returncode, run.stderr) == (1, 'error: a sentence.\n')


def test_only_the_first_of_several_processes_says_that_all_are_stopped(monkeypatch, capsys):
    monkeypatch.setenv('RANK', '1')

    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        run_main(main)
    assert end.value.code == 130 and capsys.readouterr().err == ''


def test_errors_of_the_system_name_the_file(capsys):
    def main():
        raise OSError(errno.EROFS, 'Read-only file system', 'out/a.json')

    with pytest.raises(SystemExit) as end:
        run_main(main)
    assert end.value.code == 1
    assert capsys.readouterr().err.startswith('error: out/a.json: the file system is read-only')
