# SPDX-License-Identifier: Apache-2.0
"""All systems with small widths, as they are recommended and as published."""

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from vtg.engine.config import read_config
from vtg.models import Grounder
from vtg.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SYSTEMS = sorted(file.stem for file in (CONFIGS / '_base_' / 'models').glob('*.py'))
EVERY = [*SYSTEMS, *(f'{name}/qvhl_official' for name in SYSTEMS)]
SMALL = dict(dim=16, num_heads=2, hidden_dim=16, num_rows=8)
WIDTH = 6


@cache
def read(name: str) -> dict[str, Any]:
    path = CONFIGS / f'{name}.py' if '/' in name else CONFIGS / '_base_' / 'models' / f'{name}.py'
    return read_config(path).model.to_dict()


def shallow(cfg: Any, layers: int) -> None:
    """At most so many layers in every stack of a model config, in place."""
    for key, value in cfg.items() if isinstance(cfg, dict) else enumerate(cfg):
        if key in ('num_layers', 'num_convs') and isinstance(value, int):
            cfg[key] = min(value, layers)
        elif isinstance(value, dict | list):
            shallow(value, layers)


def small_system(
    name: str,
    noise: bool = True,
    change: Callable[[Any], Any] | None = None,
    layers: int | None = 2,
) -> Grounder:
    """Build a system for features of ``WIDTH`` channels; without ``noise`` nothing is dropped.

    ``change`` may alter the model config in place before it is built. There are at most so many
    ``layers`` in a stack, None for all: two do what one layer hands to the next.
    """
    model = copy.deepcopy(read(name))
    model['defaults'].update({k: v for k, v in SMALL.items() if k in model['defaults']})
    for modality in ('video', 'audio', 'text'):
        if model.get(f'{modality}_projector'):
            model[f'{modality}_projector']['in_dim'] = WIDTH
    if layers is not None:
        shallow(model, layers)
    if change is not None:
        change(model)
    built = MODELS.build(model)
    if not noise:
        for module in built.modules():
            for option in ('p', 'rate', 'dropout'):
                if isinstance(getattr(module, option, None), float):
                    setattr(module, option, 0.0)
    return built
