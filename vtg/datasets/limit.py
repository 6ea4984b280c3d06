# SPDX-License-Identifier: Apache-2.0
"""The first queries of every split, for a quick try."""

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from vtg.utils import LOADERS


def keep_first(cfg: Config, number: int) -> Config:
    """Let all loaders of a config keep the first ``number`` samples of each dataset, in place.

    The name of the benchmark changes too, so that no published number stands beside the results.
    """
    for name in LOADERS:
        for dataset in _leaves((cfg.get(name) or {}).get('dataset') or {}):
            dataset['indices'] = number
    benchmark = cfg.get('benchmark') or {}
    if benchmark.get('name'):
        cfg.benchmark = {**benchmark, 'name': f'{benchmark["name"]}, {number} samples'}
    return cfg


def _leaves(dataset: Any) -> Iterator[Any]:
    """The datasets that read something, of those that join others."""
    if 'datasets' in dataset:
        for part in dataset['datasets']:
            yield from _leaves(part)
    elif 'dataset' in dataset:
        yield from _leaves(dataset['dataset'])
    elif dataset:
        yield dataset
