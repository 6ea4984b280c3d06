# SPDX-License-Identifier: Apache-2.0
"""How the evaluated checkpoint was chosen, in words.

Published numbers differ in this: on some benchmarks the epoch is chosen on the reported videos.
"""

import re
from pathlib import Path
from typing import Any

from mmengine.config import Config

from vtg.evaluation.metrics.base import SELECTION

_EPOCH = re.compile(r'_(?:epoch|iter)_(\d+)\.')
_DATA = ('ann_file', 'data_root', 'domain', 'first_video', 'domains', 'num_samples', 'num_videos')


def selection_rule(cfg: Config, checkpoint: str | Path, split: str) -> str:
    """Describe the choice of a checkpoint by its name and the config.

    Args:
        cfg: The config of the run.
        checkpoint: ``best_<metric>_epoch_<n>.pth``, ``epoch_<n>.pth`` or any other name.
        split: The reported split.

    Returns:
        For example ``'epoch 35: best HL-mAP on val every 5 epochs, which is the reported
        split'``.
    """
    name = Path(checkpoint).name
    number = _EPOCH.search(f'_{name}')
    if number is None:
        return 'weights as given'
    epoch = f'epoch {number[1]}'
    validated = _validated(cfg)
    last = (cfg.get('train_cfg') or {}).get('max_epochs')
    if last == 1 == int(number[1]):
        return f'{epoch}: the only one'
    if name.startswith('best_') and validated == [int(number[1])]:
        return f'{epoch}: the only one validated{_overlap(cfg, split)}'
    if name.startswith('best_'):
        return f'{epoch}: best {_criterion(cfg)} on val{_interval(cfg)}{_overlap(cfg, split)}'
    return f'{epoch}: the last one' if int(number[1]) == last else f'{epoch}: as given'


def _criterion(cfg: Config) -> str:
    hooks = cfg.get('default_hooks') or {}
    keys = (hooks.get('checkpoint') or {}).get('save_best') or 'metric'
    key = keys if isinstance(keys, str) else keys[0]
    if key.rpartition('/')[2] != SELECTION:
        return key
    evaluator = cfg.get('val_evaluator') or {}
    metric = evaluator[0] if isinstance(evaluator, list) else evaluator
    weights = metric.get('selection') or {}
    if len(set(weights.values())) == 1:
        return f'mean of {", ".join(weights)}'
    return f'mean of {", ".join(f"{name} ({weight:g})" for name, weight in weights.items())}'


def _interval(cfg: Config) -> str:
    interval = (cfg.get('train_cfg') or {}).get('val_interval', 1)
    if interval == 1:
        return ' every epoch'
    uneven = [epoch for epoch in _validated(cfg) if epoch % interval]
    return f' every {interval} epochs{" and after the last" if uneven else ""}'


def _validated(cfg: Config) -> list[int]:
    """The epochs after which the loop validates."""
    loop = cfg.get('train_cfg') or {}
    last, interval = loop.get('max_epochs') or 0, loop.get('val_interval', 1)
    epochs = range(loop.get('val_begin', 1), last + 1)
    return [epoch for epoch in epochs if epoch % interval == 0 or epoch == last]


def _overlap(cfg: Config, split: str) -> str:
    def data(name: str) -> list[Any]:
        dataset = (cfg.get(f'{name}_dataloader') or {}).get('dataset') or {}
        return [dataset.get(key) for key in _DATA]

    return ', which is the reported split' if data('val') == data(split) else ''
