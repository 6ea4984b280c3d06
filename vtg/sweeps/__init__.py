# SPDX-License-Identifier: Apache-2.0
"""Ablations: one training per combination of config values and seed, and a table of the results."""

from .execution import run_sweep
from .grid import Cell, apply_cell, make_cells, split_values
from .page import read_runs, write_page
from .table import Summary, summarise

__all__ = [
    'Cell',
    'Summary',
    'apply_cell',
    'make_cells',
    'read_runs',
    'run_sweep',
    'split_values',
    'summarise',
    'write_page',
]
