# SPDX-License-Identifier: Apache-2.0
"""A data loader that no frozen worker holds up without end."""

import threading
from collections.abc import Iterator, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

from torch._C import _remove_worker_pids
from torch.utils.data import DataLoader

LOADER_TIMEOUT = 300
"""Seconds until a batch that loader workers owe is given up."""


class WatchedLoader(DataLoader):
    """A ``DataLoader`` whose ``timeout`` holds wherever the main process waits.

    PyTorch waits ``timeout`` seconds for the message that a batch is ready, but without end for
    what follows: the rest of a long message, and the handle of every tensor, for which the worker
    is asked through a socket. A worker that froze in between (a lost network drive, ``kill -STOP``)
    stops the run for good. Here its workers are killed when a batch is late, which ends every wait.
    """

    def end_workers(self) -> None:
        """End workers that live on between epochs; a further epoch starts new ones.

        Left to the garbage collector, they would end together with the pipes that tell them to.
        """
        self._iterator = None

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """Iterate over the batches.

        Raises:
            RuntimeError: A batch is late, in PyTorch's words, or a worker was lost.
        """
        iterator = super().__iter__()
        if not (self.num_workers and self.timeout):
            return iterator
        return self._watched(iterator)

    def _watched(self, iterator: Any) -> Iterator[Any]:
        watch = _Watch(self.timeout, iterator._workers)
        watch.start()
        try:
            watch.turns += 1
            for batch in iterator:
                watch.turns += 1
                yield batch
                watch.turns += 1
        except Exception as error:  # that of a killed worker gets the words of the timeout
            message = f'DataLoader timed out after {self.timeout:g} seconds'
            if watch.fired:
                _forget_workers(iterator)
                raise RuntimeError(message) from error
            if message not in str(error):  # a late one would be waited for
                iterator._shutdown_workers()
            raise
        finally:
            watch.over.set()


def _forget_workers(iterator: Any) -> None:
    """Let PyTorch raise no more when it hears that a worker has ended, wherever the program is."""
    if iterator._worker_pids_set:
        iterator._worker_pids_set = False
        _remove_worker_pids(id(iterator))


class _Watch(threading.Thread):
    """Kills workers that keep the main process waiting.

    It counts its own steps and not the time of day: a program that was itself stopped, with Ctrl-Z
    or because the machine slept, does not find its workers late.
    """

    def __init__(self, seconds: float, workers: Sequence[BaseProcess]) -> None:
        super().__init__(name='loader watch', daemon=True)
        self.step = min(seconds / 2, 1.0)
        # PyTorch's own timeout comes first where it works.
        self.patience = seconds + 2 * self.step
        self.workers = workers
        self.turns = 0  # odd while the main process waits for a batch
        self.fired = False
        self.over = threading.Event()

    def run(self) -> None:
        """Wait until the loop is over, or a batch is late."""
        waited, last = 0.0, self.turns
        while not self.over.wait(self.step):
            waiting = self.turns % 2 and self.turns == last
            waited, last = (waited + self.step if waiting else 0.0), self.turns
            if waited > self.patience:
                self.fired = True
                for worker in self.workers:
                    worker.kill()
                return
