# SPDX-License-Identifier: Apache-2.0
"""Any config on simulated features: real annotations, nothing else to download."""

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from vtg.utils import LOADERS, ConfigError


def simulated_features(dataset: Mapping[str, Any], difficulty: float = 0.5) -> dict[str, Any]:
    """Return the config of a dataset with simulated stores in place of those that read files.

    Every store keeps its width, so that the model stays as it is; the annotations stay real.

    Raises:
        ConfigError: A store does not say how wide its features are.
    """
    stores: dict[str, list[dict]] = {}
    kinds = {'video': 'SimulatedVideo', 'audio': 'SimulatedVideo', 'text': 'SimulatedText'}
    for kind, name in kinds.items():
        given = dataset.get(kind, ())
        given = [given] if isinstance(given, Mapping) else given
        if any(store.get('dim') is None for store in given):
            raise ConfigError(
                f'a {kind} store of {dataset.get("ann_file") or dataset["type"]} has no dim; '
                'simulated features need the width of those that they stand for.'
            )
        stores[kind] = [
            {'type': name, 'dim': store['dim'], 'backbone': f'{kind}{index}'}
            | ({'row_shape': store['row_shape']} if store.get('row_shape') else {})
            for index, store in enumerate(given)
        ]
    for store in (*stores['video'], *stores['audio']):
        store['difficulty'] = difficulty
    return {**dataset, **{kind: found for kind, found in stores.items() if found}}


def rehearse(cfg: Config, difficulty: float = 0.5) -> Config:
    """Put simulated features into all loaders of a config, in place.

    The name of the benchmark changes too, so that no published number stands beside the results.
    """
    for name in LOADERS:
        loader = cfg.get(name)
        if loader and 'video' in loader.dataset:
            loader.dataset = simulated_features(loader.dataset, difficulty)
            benchmark = cfg.get('benchmark') or {}
            name = _simulated_name(benchmark.get('name') or loader.dataset['type'])
            cfg.benchmark = {**benchmark, 'name': name}
    return cfg


def _simulated_name(name: str) -> str:
    ending = ' with simulated features'
    return name if name.endswith(ending) else name + ending
