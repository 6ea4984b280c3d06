# SPDX-License-Identifier: Apache-2.0
"""How the scripts in ``tools/`` end: with a status, and at most one sentence."""

import contextlib
import io
import logging
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from .endings import sentence_of
from .names import printable

_handle_error = logging.Handler.handleError
SAFE = 'files are written whole or not at all, the same command starts again'
TRACEBACK = 'VTG_TRACEBACK'
"""Environment variable that shows developers what led to a sentence."""
_bars: list[str] = []
_STOPS = {signal.SIGINT: 'Ctrl-C', signal.SIGTERM: 'SIGTERM'}


class Stopped(KeyboardInterrupt):
    """A signal asks the program to end; raised in place of the signal's own effect.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.number = signal.Signals(number)


def run_main(main: Callable[[], int | None], safe: str = SAFE) -> None:
    """Run ``main`` and exit with its status.

    Mistakes of the user and errors of the machine (files, disks, memory, lost workers) are one
    sentence and status 1. Ctrl-C is 130 and SIGTERM 143, as in a shell; a reader of the output that
    goes away (``| head``) is 141. A bug keeps its traceback, and
    with ``VTG_TRACEBACK=1`` everything does.

    Args:
        main: Does the work; returns the status, None for 0.
        safe: What is safe when the program is stopped and how to go on.
    """
    status = 0
    _bars.clear()
    for stream in _outputs():
        if isinstance(stream, io.TextIOWrapper):
            # What the terminal's encoding lacks, or what is no text, is escaped.
            stream.reconfigure(errors='backslashreplace')
    with _own_process():
        try:
            try:
                status = main() or 0
            except SystemExit as end:  # of argparse
                status = end.code  # type: ignore[assignment]
            for stream in _outputs():
                stream.flush()
            _end_children()
        except KeyboardInterrupt as stop:
            number = getattr(stop, 'number', signal.SIGINT)
            status = 128 + number
            # Of the processes of one training all are stopped; the first says so.
            first = os.environ.get('RANK', '0') == '0'
            _end_children()
            _give_up(f'stopped by {_STOPS.get(number, number)}; {safe}.' if first else None)
        except Exception as error:
            _end_children()  # workers that were lost, are late, or still read
            left = isinstance(error, BrokenPipeError) and _reader_left()
            sentence = None if left else sentence_of(error, safe)
            if not (left or sentence):
                raise
            if os.environ.get(TRACEBACK) and not left:
                traceback.print_exc()
            status = 128 + 13 if left else 1  # SIGPIPE
            _give_up(sentence)
    sys.exit(status)


def progress_bar(total: int) -> Callable[[], Any]:
    """Show a bar beside the output and return what moves it; a sentence that ends the program
    starts on a line of its own."""
    from mmengine.utils import ProgressBar

    _bars.append('open')
    return ProgressBar(total, file=sys.stderr).update


def _give_up(sentence: str | None) -> None:
    """Print the sentence and leave no buffer that fails at the end."""
    for number in _STOPS:
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(number, signal.SIG_DFL)
    if sentence:
        lines = '\n'.join(printable(line) for line in sentence.split('\n'))
        with contextlib.suppress(OSError):
            if _bars:
                print(file=sys.stderr)
            print(f'error: {lines}', file=sys.stderr, flush=True)
    _drop_output()


@contextlib.contextmanager
def _own_process() -> Iterator[None]:
    """Raise at SIGTERM, and where a line of the log cannot be written; lose no such request."""
    sys.unraisablehook = _ask_again
    setattr(logging.Handler, 'handleError', _raise_system_errors)  # noqa: B010
    main_thread = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    # What the parent had ignored (nohup) stays ignored.
    if main_thread and before is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        sys.unraisablehook = sys.__unraisablehook__
        setattr(logging.Handler, 'handleError', _handle_error)  # noqa: B010
        if main_thread and signal.getsignal(signal.SIGTERM) is _stop:
            signal.signal(signal.SIGTERM, before)


def _stop(number: int, _frame: Any) -> None:
    raise Stopped(number)


def _ask_again(unraisable: Any) -> None:
    """Repeat a request to stop that met code from which nothing can be raised, such as a fork."""
    stop = unraisable.exc_value
    if isinstance(stop, KeyboardInterrupt):
        number = getattr(stop, 'number', signal.SIGINT)
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
    else:
        sys.__unraisablehook__(unraisable)


def _leave_signals() -> None:
    """In a forked loader worker: the main process gets Ctrl-C too and ends its workers."""
    if signal.getsignal(signal.SIGTERM) is _stop:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_leave_signals)


def _raise_system_errors(handler: logging.Handler, record: logging.LogRecord) -> None:
    """Logging would print a traceback for every line that finds the disk full, and go on."""
    error = sys.exc_info()[1]
    if isinstance(error, OSError):
        if error.filename is None and not isinstance(error, BrokenPipeError):
            error.filename = getattr(handler, 'baseFilename', None)
        raise error
    _handle_error(handler, record)


def _outputs() -> list[TextIO]:
    """Standard output and error, where they are open."""
    return [stream for stream in (sys.stdout, sys.stderr) if stream is not None]


def _reader_left() -> bool:
    """Whether it is the output of this program that nobody reads any more."""
    for stream in _outputs():
        poll = select.poll()
        with contextlib.suppress(OSError, ValueError):  # not a file
            poll.register(stream.fileno(), select.POLLOUT)
        if any(event & select.POLLERR for _, event in poll.poll(0)):
            return True
    return False


def _end_children(patience: float = 2.0) -> None:
    """End loader workers, also frozen ones, for which the interpreter would wait at its end.

    After an error it is called within the handler, while what the traceback holds still lives.
    """
    _ignore_ends_of_children()
    multiprocessing = sys.modules.get('multiprocessing')
    children = multiprocessing.active_children() if multiprocessing else []
    if not children:
        return
    threading.excepthook = lambda *_: None  # threads that feed workers fail with them
    for child in children:
        child.terminate()
    deadline = time.monotonic() + patience
    for child in children:
        child.join(max(0.0, deadline - time.monotonic()))
        if child.is_alive():
            child.kill()


def _ignore_ends_of_children() -> None:
    """Take PyTorch's handler away, which raises when a worker ends: at worst in this call."""
    while True:
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return
        except RuntimeError:
            continue
        except ValueError:  # not the main thread
            return


def _drop_output() -> None:
    """Let the interpreter's last flush succeed."""
    for stream in _outputs():
        try:
            stream.flush()
        except OSError:
            with open(os.devnull, 'wb') as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
