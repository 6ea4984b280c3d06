# SPDX-License-Identifier: Apache-2.0
"""The model, its slots and the components that fill them."""

from . import (
    auxiliary,
    embeddings,
    encoders,
    feedback,
    fusions,
    heads,
    losses,
    necks,
    projectors,
    refiners,
    task_modules,
)
from .data_preprocessor import GroundingDataPreprocessor
from .grounder import Grounder
from .sliding_grounder import SlidingGrounder

__all__ = [
    'Grounder',
    'GroundingDataPreprocessor',
    'SlidingGrounder',
    'auxiliary',
    'embeddings',
    'encoders',
    'feedback',
    'fusions',
    'heads',
    'losses',
    'necks',
    'projectors',
    'refiners',
    'task_modules',
]
