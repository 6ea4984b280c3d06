# SPDX-License-Identifier: Apache-2.0
"""Small helpers that know nothing of the rest of the package."""

from .cli import run_main
from .errors import CheckpointError, ConfigError, DataError, VtgError
from .io import atomic_write, read_json, read_jsonl, write_json, write_jsonl
from .names import check_choice, check_keys, file_name, nearest_names, printable

__all__ = [
    'CheckpointError',
    'ConfigError',
    'DataError',
    'VtgError',
    'atomic_write',
    'check_choice',
    'check_keys',
    'file_name',
    'nearest_names',
    'printable',
    'read_json',
    'read_jsonl',
    'run_main',
    'write_json',
    'write_jsonl',
]
