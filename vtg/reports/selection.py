# SPDX-License-Identifier: Apache-2.0
"""How the evaluated checkpoint was chosen, in words.

Published numbers differ in this: on some benchmarks the epoch is chosen on the reported videos.
"""

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from vtg.evaluation.metrics.base import SELECTION

_DATA = ('ann_file', 'data_root', 'domain', 'first_video', 'domains', 'num_samples', 'num_videos')


def selection_rule(cfg: Config, meta: Mapping[str, Any], split: str) -> str:
    """Describe the choice of a checkpoint by what it says of itself, and the config.

    Args:
        cfg: The config of the run.
        meta: Of the checkpoint: ``epoch``, ``max_epochs`` and, of the best one, ``best_by``, the
            metric that it was chosen by. ``{}`` for bare weights.
        split: The reported split.

    Returns:
        For example ``'epoch 35: best HL-mAP on val every 5 epochs, which is the reported
        split'``.
    """
    if 'epoch' not in meta:
        return 'weights as given (the file does not say of which epoch)'
    number, key = meta['epoch'], meta.get('best_by')
    epoch = f'epoch {number}'
    last = meta.get('max_epochs') or (cfg.get('train_cfg') or {}).get('max_epochs')
    if last == 1 == number:
        return f'{epoch}: the only one'
    if key is None:
        return f'{epoch}: the last one' if number == last else f'{epoch}: as given'
    if _validated(cfg) == [number]:
        return f'{epoch}: the only one validated{_overlap(cfg, split)}'
    return f'{epoch}: best {_criterion(cfg, key)} on val{_interval(cfg)}{_overlap(cfg, split)}'


def _criterion(cfg: Config, key: str) -> str:
    if key.rpartition('/')[2] != SELECTION:
        return key
    evaluator = cfg.get('val_evaluator') or {}
    metrics = evaluator if isinstance(evaluator, list) else [evaluator]
    weights: dict[str, float] = next(
        (metric['selection'] for metric in metrics if metric.get('selection')), {}
    )
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
