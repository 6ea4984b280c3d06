# SPDX-License-Identifier: Apache-2.0
"""Small helpers that know nothing of the rest of the package."""

from .cli import Stopped, progress_bar, run_main
from .errors import CheckpointError, ConfigError, DataError, VtgError, missing_data
from .io import (
    Record,
    atomic_write,
    file_sha256,
    read_json,
    read_json_lines,
    read_jsonl,
    read_text,
    write_json,
    write_jsonl,
    write_text,
)
from .names import (
    LOADERS,
    check_choice,
    check_keys,
    did_you_mean,
    file_name,
    listed,
    nearest_names,
)
from .numbers import (
    TOLERANCE,
    check_clip_length,
    exceeds,
    is_integer,
    is_number,
    mean_and_deviation,
)
from .outputs import check_output, check_replaceable, hold, leftovers, remove_leftovers
from .places import find_config, shipped
from .tables import csv_text, markdown_table, mean_cell, terminal_table, two_decimals
from .text import has_words, markdown_text, one_line, printable, shown

__all__ = [
    'LOADERS',
    'TOLERANCE',
    'CheckpointError',
    'ConfigError',
    'DataError',
    'Record',
    'Stopped',
    'VtgError',
    'atomic_write',
    'check_choice',
    'check_clip_length',
    'check_keys',
    'check_output',
    'check_replaceable',
    'csv_text',
    'did_you_mean',
    'exceeds',
    'file_name',
    'file_sha256',
    'find_config',
    'has_words',
    'hold',
    'is_integer',
    'is_number',
    'leftovers',
    'listed',
    'markdown_table',
    'markdown_text',
    'mean_and_deviation',
    'mean_cell',
    'missing_data',
    'nearest_names',
    'one_line',
    'printable',
    'progress_bar',
    'read_json',
    'read_json_lines',
    'read_jsonl',
    'read_text',
    'remove_leftovers',
    'run_main',
    'shipped',
    'shown',
    'terminal_table',
    'two_decimals',
    'write_json',
    'write_jsonl',
    'write_text',
]
