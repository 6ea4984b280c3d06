# SPDX-License-Identifier: Apache-2.0
"""How many CPU threads PyTorch uses, and how they wait.

A step is thousands of small operations. Threads that spin between them take the cores from each
other and from other programs; below some size of the work one thread is the fastest.
"""

import os
from typing import Any

# Threads sleep when there is nothing to do: the settings of GNU's, Intel's and every OpenMP.
PASSIVE = {'OMP_WAIT_POLICY': 'PASSIVE', 'GOMP_SPINCOUNT': '0', 'KMP_BLOCKTIME': '0'}
NUMBER = 'OMP_NUM_THREADS'
SMALL_MODEL = 2_000_000
"""Parameters below which the operations of a step are too small to be shared."""


def prepare_threads(wanted: int | None = None) -> None:
    """Let threads wait passively, and set their number; to be called before torch is imported.

    What the environment says about waiting stays.

    Args:
        wanted: Threads; None leaves the choice to :func:`settle_threads`.
    """
    for name, value in PASSIVE.items():
        os.environ.setdefault(name, value)
    if wanted is not None:
        os.environ[NUMBER] = str(wanted)


def choose_threads(parameters: int, cores: int, load: float) -> int:
    """Return how many threads a model should use.

    Args:
        parameters: Of the model; a small one gets one thread.
        cores: Those that this process may use.
        load: Processes that run or wait to, this one included.
    """
    if parameters < SMALL_MODEL:
        return 1
    return max(1, cores - max(0, round(load) - 1))


def settle_threads(model: Any) -> str:
    """Set PyTorch's CPU threads for a model and say what was chosen.

    ``OMP_NUM_THREADS``, which ``--threads`` sets, goes first. A model on a GPU keeps the number.

    Args:
        model: A ``torch.nn.Module``.
    """
    import torch

    said = os.environ.get(NUMBER, '')
    parameters = list(model.parameters())
    if said.isdecimal() and int(said) > 0:
        torch.set_num_threads(int(said))
        reason = f'as --threads or {NUMBER} says'
    elif any(parameter.device.type != 'cpu' for parameter in parameters):
        reason = 'the default; the model is on another device'
    else:
        affinity = getattr(os, 'sched_getaffinity', None)
        cores = len(affinity(0)) if affinity else os.cpu_count() or 1
        load = os.getloadavg()[0] if hasattr(os, 'getloadavg') else 1.0
        size = sum(parameter.numel() for parameter in parameters)
        torch.set_num_threads(choose_threads(size, cores, load))
        small = 'a small model' if size < SMALL_MODEL else f'load {load:.1f}'
        reason = f'for {size / 1e6:.1f} M parameters on {cores} cores: {small}; see --threads'
    return f'CPU threads: {torch.get_num_threads()} ({reason}).'
