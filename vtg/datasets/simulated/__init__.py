# SPDX-License-Identifier: Apache-2.0
"""Simulated data: the default that needs no download, and features for real annotations."""

from .benchmarks import SimulatedMoments, SimulatedRatings
from .dataset import SimulatedDataset
from .export import export_simulated
from .rehearsal import rehearse, simulated_features
from .stores import SimulatedText, SimulatedVideo

__all__ = [
    'SimulatedDataset',
    'SimulatedMoments',
    'SimulatedRatings',
    'SimulatedText',
    'SimulatedVideo',
    'export_simulated',
    'rehearse',
    'simulated_features',
]
