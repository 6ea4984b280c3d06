# SPDX-License-Identifier: Apache-2.0
"""Running the same work in this process or on Ray Data, with the same results in the same order.

A *worker* takes a list of items and yields one result per item; items and results are plain Python
values. ``make_worker`` builds one, models included, and is called once per process. A worker writes
its files whole or not at all, so work that is repeated after a crash changes nothing.
"""

import logging
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vtg.utils import VtgError
from vtg.utils.optional import require

Worker = Callable[[Sequence[Any]], Iterator[Any]]


@dataclass(frozen=True)
class RayOptions:
    """How work is spread.

    Args:
        workers: Number of processes, each with its own models.
        gpus_per_worker: 1 gives every process a GPU, 0.5 lets two share one, 0 uses the CPU.
        cpus_per_worker: CPU cores that a process reserves.
        chunk: Items handed over at a time; at most these are repeated after a crash.
        address: A running cluster, e.g. ``'auto'``; by default Ray starts on this machine.
    """

    workers: int = 2
    gpus_per_worker: float = 0.0
    cpus_per_worker: float = 1.0
    chunk: int = 4
    address: str | None = None


class _Actor:
    """The process of Ray that owns one worker; a subclass says how it is made."""

    make_worker: Callable[[], Worker]
    worker: Worker | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        answers = []
        for content in batch['content']:
            try:
                # Not in the constructor: Ray would try again for ever to build what cannot be.
                self.worker = self.worker or self.make_worker()
                answer: Any = list(self.worker(pickle.loads(content)))
            except VtgError as error:
                answer = error
            answers.append(pickle.dumps(answer))
        return {'content': answers}


def run_work(
    make_worker: Callable[[], Worker], items: Sequence[Any], ray: RayOptions | None = None
) -> Iterator[Any]:
    """Yield the result of every item, in order.

    Args:
        make_worker: Builds a worker; for Ray it has to be picklable.
        items: The work.
        ray: None works in this process.

    Raises:
        VtgError: The worker could not be built, or raised it.
    """
    if not items:
        return
    if ray is None:
        yield from make_worker()(items)
    else:
        yield from _run_on_ray(make_worker, items, ray)


def _run_on_ray(
    make_worker: Callable[[], Worker], items: Sequence[Any], options: RayOptions
) -> Iterator[Any]:
    data = _start_ray(options)
    size = options.chunk
    rows = [
        {'content': pickle.dumps(list(items[start : start + size]))}
        for start in range(0, len(items), size)
    ]
    # The factory travels with the class: arguments of an actor may be gone when it restarts.
    actor = type('Process', (_Actor,), {'make_worker': staticmethod(make_worker)})
    # One block per chunk: the unit that Ray hands out and repeats.
    results = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        actor,
        batch_size=1,
        compute=data.ActorPoolStrategy(size=min(options.workers, len(rows))),
        num_cpus=options.cpus_per_worker,
        num_gpus=options.gpus_per_worker or None,
    )
    for row in results.iter_rows():
        answer = pickle.loads(row['content'])
        if isinstance(answer, VtgError):
            raise answer
        yield from answer


def _start_ray(options: RayOptions) -> Any:
    """Connect to Ray or start it, for as long as this process lives; return ``ray.data``."""
    if options.address is None:
        # A token would be written into the user's home; a Ray of our own is used by us alone.
        os.environ.setdefault('RAY_AUTH_MODE', 'disabled')
    ray = require('ray', 'distributed work')
    data = require('ray.data', 'distributed work')
    if not ray.is_initialized():
        local = {} if options.address else {'num_cpus': _cores(options), 'include_dashboard': False}
        # Messages about lost workers and retries stay in Ray's own log files.
        ray.init(address=options.address, log_to_driver=False, logging_level=logging.ERROR, **local)
    logging.getLogger('ray.data').setLevel(logging.ERROR)
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    return data


def _cores(options: RayOptions) -> int:
    """All cores of the machine, or as many as the workers ask for where these are more."""
    return max(os.cpu_count() or 1, int(options.workers * options.cpus_per_worker + 0.999))
