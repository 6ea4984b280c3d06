# SPDX-License-Identifier: Apache-2.0
"""Simulated data: the default that needs no download, and features for real annotations."""

from .dataset import SimulatedDataset
from .stores import SimulatedText, SimulatedVideo

__all__ = ['SimulatedDataset', 'SimulatedText', 'SimulatedVideo']
