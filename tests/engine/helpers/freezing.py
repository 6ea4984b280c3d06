# SPDX-License-Identifier: Apache-2.0
"""A loader worker that freezes at a chosen moment, with all its threads."""

import os
import signal
import threading
import time
from multiprocessing import connection, reduction
from typing import Any


def _stop(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(100)  # another thread may get the signal, and this one goes on for a moment


def _half(self: Any, data: Any, write: Any = os.write) -> None:
    write(self._handle, memoryview(data)[: len(data) // 2])
    _stop()


def freeze(moment: str) -> None:
    """Prepare the worker that this is called in.

    Args:
        moment: ``'handle'``, when the main process asks for the memory of a tensor; ``'message'``,
            half through a message that says that a batch is ready; ``'end'``, two seconds later,
            when all is delivered.
    """
    if moment == 'handle':
        reduction.send_handle = _stop
    elif moment == 'message':
        connection.Connection._send = _half
    else:
        threading.Timer(2, _stop).start()


def freeze_at_handle(worker: int) -> None:
    """A ``worker_init_fn``."""
    freeze('handle')
