# SPDX-License-Identifier: Apache-2.0
"""Hooks: what MMEngine's Runner lacks, one small class each."""

from .atomic_checkpoint import AtomicCheckpointHook
from .console import ConsoleHook
from .epoch_ema import EpochEMAHook
from .epoch_seed import EpochSeedHook
from .nan_guard import NanGuardHook
from .plain_checkpoint import PlainCheckpointHook
from .progress import ProgressHook
from .resume_guard import ResumeGuardHook
from .runtime_info import SparseRuntimeInfoHook
from .unused_parameters import UnusedParametersHook

__all__ = [
    'AtomicCheckpointHook',
    'ConsoleHook',
    'EpochEMAHook',
    'EpochSeedHook',
    'NanGuardHook',
    'PlainCheckpointHook',
    'ProgressHook',
    'ResumeGuardHook',
    'SparseRuntimeInfoHook',
    'UnusedParametersHook',
]
