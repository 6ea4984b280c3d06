# SPDX-License-Identifier: Apache-2.0
"""What MMEngine's Runner lacks: hooks, optimizer wrappers, checked configs and checkpoints."""

from .checkpoint import load_weights, read_checkpoint, setup
from .config import load_config
from .hooks import (
    AtomicCheckpointHook,
    EpochEMAHook,
    EpochSeedHook,
    NanGuardHook,
    PlainCheckpointHook,
    ProgressHook,
    ResumeGuardHook,
    SparseRuntimeInfoHook,
)
from .log_processor import BriefLogProcessor
from .optim import AutocastOptimWrapper, GroundingOptimWrapper
from .runner import GroundingRunner

__all__ = [
    'AtomicCheckpointHook',
    'AutocastOptimWrapper',
    'BriefLogProcessor',
    'EpochEMAHook',
    'EpochSeedHook',
    'GroundingOptimWrapper',
    'GroundingRunner',
    'NanGuardHook',
    'PlainCheckpointHook',
    'ProgressHook',
    'ResumeGuardHook',
    'SparseRuntimeInfoHook',
    'load_config',
    'load_weights',
    'read_checkpoint',
    'setup',
]
