# SPDX-License-Identifier: Apache-2.0
"""Random numbers that depend on the epoch and not on what happened before it."""

import random
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook

from vtg.registry import HOOKS


def epoch_seed(seed: int, epoch: int, rank: int) -> int:
    """Mix run seed, zero-based epoch and process rank into one 32-bit seed."""
    return int(np.random.SeedSequence([seed, epoch, rank]).generate_state(1)[0])


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seeds Python, NumPy and torch at the start of each training epoch.

    A resumed run then draws the dropout of the interrupted one, bit for bit; storing the state of
    the generators would not do, since validation and loaders draw from them in between. Each
    process draws its own numbers. Datasets must not draw from these generators: workers that
    persist keep theirs.
    """

    priority = 'VERY_HIGH'  # before anything draws

    def before_train_epoch(self, runner: Any) -> None:
        """Seed what is drawn before the first batch."""
        _seed(runner)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Seed again behind the start of the workers."""
        # The loader draws a number when it starts its workers. Workers that persist are started in
        # the first epoch of the process only, so the epoch's own numbers begin after that.
        if batch_idx == 0:
            _seed(runner)


def _seed(runner: Any) -> None:
    seed = epoch_seed(runner.seed, runner.epoch, runner.rank)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
