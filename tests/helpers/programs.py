# SPDX-License-Identifier: Apache-2.0
"""Programs that start at once: forks of one that has imported what all of them need.

Python with PyTorch, MMEngine and ``vtg`` takes four seconds to start. A test of what a program does
once it runs, and of how it ends, sees the same in a fork: it is a process of its own with its own
arguments, folder, environment, files and session, and ends as the interpreter does.
"""

import atexit
import contextlib
import functools
import importlib
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMPORTED = ('vtg.sweeps.cell', 'vtg.datasets', 'vtg.evaluation.metrics', 'vtg.models')


class Program:
    """A program as by ``subprocess.Popen``, of which it has what the tests need.

    Args:
        command: ``sys.executable`` and a script, ``-m module`` or ``-c code``, with its arguments.
        cwd, env, stdout, stderr, start_new_session: As there; standard input is empty, output is
            text.
    """

    def __init__(
        self,
        command: Sequence[object],
        *,
        cwd: str | Path = '.',
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | IO | None = None,
        stderr: int | IO | None = None,
        text: bool = True,
        start_new_session: bool = False,
    ) -> None:
        executable, *words = map(str, command)
        assert (executable, stdin, text) == (sys.executable, subprocess.DEVNULL, True)
        self.command = command
        self.returncode: int | None = None
        self.stdout, out = _reader(stdout, 1)
        inherited, stderr = (out, None) if stderr == subprocess.STDOUT else (2, stderr)
        self.stderr, err = _reader(stderr, inherited)
        files = (os.open(os.devnull, os.O_RDONLY), out, err)
        environment = dict(os.environ if env is None else env)
        with _lock:
            server = _server()
            server.send((words, os.path.abspath(cwd), environment, start_new_session))
            for file in files:
                send_handle(server, file, None)
                os.close(file)
            self.pid: int = server.recv()

    def poll(self) -> int | None:
        """The status if it has ended, negative for a signal."""
        if self.returncode is None:
            with _lock:
                _server().send(self.pid)
                self.returncode = _server().recv()
        return self.returncode

    def wait(self, timeout: float = 100) -> int:
        """The status, once it has ended; it is killed after a timeout in seconds."""
        over = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > over:
                self.kill()
            time.sleep(0.01)
        assert self.returncode is not None
        return self.returncode

    def communicate(self, timeout: float = 100) -> tuple[str | None, str | None]:
        """What was written to the pipes until nobody holds them any more.

        Raises:
            TimeoutExpired: Somebody still does, such as a loader worker; the program is killed.
        """
        pipes = (self.stdout, self.stderr)
        written: list[str | None] = [None, None]

        def read(number: int, pipe: IO) -> None:
            with pipe:
                written[number] = pipe.read()

        readers = [
            threading.Thread(target=read, args=place, daemon=True)
            for place in enumerate(pipes) if place[1]
        ]  # fmt: skip
        over = time.monotonic() + timeout
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(max(0, over - time.monotonic()))
            if reader.is_alive():
                self.kill()
                raise subprocess.TimeoutExpired(self.command, timeout)
        self.wait(timeout)
        return written[0], written[1]

    def kill(self) -> None:
        """End it by SIGKILL, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def run_program(
    command: Sequence[object], check: bool = False, **options: Any
) -> subprocess.CompletedProcess:
    """Run a program to its end, as by ``subprocess.run`` with ``capture_output``."""
    program = Program(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    output, errors = program.communicate()
    assert program.returncode == 0 or not check, errors
    return subprocess.CompletedProcess(command, program.returncode or 0, output, errors)


def fork_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sweeps start their trainings so."""
    constants = {name: getattr(subprocess, name) for name in ('DEVNULL', 'STDOUT')}
    namespace = SimpleNamespace(Popen=Program, **constants)
    monkeypatch.setattr('vtg.sweeps.execution.subprocess', namespace)


def _reader(target: int | IO | None, inherited: int) -> tuple[IO | None, int]:
    """The end of a pipe to read from, if that is asked for, and the file to write to."""
    if target == subprocess.PIPE:
        reading, writing = os.pipe()
        return open(reading, encoding='utf-8'), writing
    if target == subprocess.DEVNULL:
        return None, os.open(os.devnull, os.O_WRONLY)
    return None, os.dup(inherited if target is None else getattr(target, 'fileno', int)())


# The server ---------------------------------------------------------------------------------------

_lock = threading.Lock()


@functools.cache
def _server() -> Connection:
    """The connection to the program that is forked; it ends with this process."""
    ours, theirs = Pipe()
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    number = theirs.fileno()
    subprocess.Popen(
        [sys.executable, __file__, str(number)],
        pass_fds=[number], env=environment, cwd=ROOT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    theirs.close()
    return ours


def _serve(connection: Connection) -> None:
    """Start programs and tell how they ended."""
    programs: dict[int | None, BaseProcess] = {}
    with contextlib.suppress(EOFError):
        while True:
            request: Any = connection.recv()
            if isinstance(request, int):
                connection.send(programs[request].exitcode)
                continue
            files = [recv_handle(connection) for _ in range(3)]
            program = get_context('fork').Process(target=_run, args=(connection, files, *request))
            session = request[-1]
            program.start()
            programs[program.pid] = program
            while session and os.getsid(program.pid) != program.pid:
                time.sleep(0.001)  # so that whoever gets the number can stop it with its children
            for file in files:
                os.close(file)
            connection.send(program.pid)
    os._exit(0)  # programs may outlive it, as they outlive a test


def _run(
    connection: Connection,
    files: Sequence[int],
    words: list[str],
    folder: str,
    environment: dict[str, str],
    session: bool,
) -> None:
    """Run a program as the interpreter does."""
    connection.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    # Those of the server take its files for what it had at first.
    sys.stdout = open(1, 'w', closefd=False)  # noqa: SIM115
    sys.stderr = open(2, 'w', 1, errors='backslashreplace', closefd=False)  # noqa: SIM115
    if session:
        os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    paths = [path for path in environment.get('PYTHONPATH', '').split(os.pathsep) if path]
    kind = words.pop(0) if words[0] in ('-c', '-m') else ''
    sys.path[:1] = ['' if kind else str(Path(words[0]).parent), *paths]
    sys.argv = ['-c', *words[1:]] if kind == '-c' else list(words)
    with contextlib.ExitStack() as stack:
        stack.callback(atexit._run_exitfuncs)
        if kind == '-c':
            exec(compile(words[0], '<string>', 'exec'), vars(sys.modules['__main__']))
        elif kind:
            runpy.run_module(words[0], run_name='__main__', alter_sys=True)
        else:
            runpy.run_path(words[0], run_name='__main__')


if __name__ == '__main__':
    for name in IMPORTED:
        importlib.import_module(name)
    _serve(Connection(int(sys.argv[1])))
