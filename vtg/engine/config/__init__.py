# SPDX-License-Identifier: Apache-2.0
"""Configs from files and the command line, checked before anything is built."""

from .benchmark import FACTS, benchmark_name, feature_names, settle_benchmark
from .inheritance import lineage, origins
from .loading import load_config, model_config
from .options import apply_options, check_given_once, parse_options
from .places import meant_places
from .reading import read_config
from .text import RunConfig, config_text

__all__ = [
    'FACTS',
    'RunConfig',
    'apply_options',
    'benchmark_name',
    'check_given_once',
    'config_text',
    'feature_names',
    'lineage',
    'load_config',
    'meant_places',
    'model_config',
    'origins',
    'parse_options',
    'read_config',
    'settle_benchmark',
]
