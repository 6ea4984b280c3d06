# SPDX-License-Identifier: Apache-2.0
"""Every config file loads, fits its data and has a schedule that fits its model; what differs in
more than sizes and coefficients trains a step and predicts what its metric reads.

New files join by themselves. Models keep their structure and get small shared sizes; the batch is
simulated in the widths that the projectors declare.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from vtg.datasets import SimulatedDataset, collate
from vtg.engine import load_config
from vtg.evaluation.records import to_records
from vtg.registry import METRICS, MODELS, PARAM_SCHEDULERS
from vtg.structures import Prediction, Progress

ROOT = Path(__file__).resolve().parents[2] / 'configs'
FILES = sorted(path for path in ROOT.rglob('*.py') if '_base_' not in path.parts)
# Models that took a step already, by what decides on their code; see ``kind_of``.
TRIED: dict[str, nn.Module] = {}
# Components whose first epoch was tried.
STARTED: set[str] = set()
SMALL = dict(dim=16, num_heads=4, hidden_dim=32)
TEF = 2


@cache
def simulated(video_dim: int, text_dim: int, max_windows: int | None, pad: int) -> tuple[Any, Any]:
    """A training batch and one with annotations, of videos of unequal lengths."""
    options = dict(
        num_samples=4,
        num_clips=(10, 24),
        moment_clips=(2, 6),
        video_dims=(video_dim - TEF,),
        text_dim=text_dim,
        labels=dict(max_windows=max_windows),
        features=dict(pad_to_multiple=pad),
    )
    batches = []
    for test_mode in (False, True):
        dataset = SimulatedDataset(**options, test_mode=test_mode)
        batches.append(collate([dataset[index] for index in range(len(dataset))]))
    assert len(set(batches[0]['video_mask'].sum(1).tolist())) > 1
    return tuple(batches)


def loaders(cfg: Any) -> Iterator[tuple[str, Any]]:
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name):
            yield name, cfg[name]


def declared_widths(dataset: Any) -> tuple[int, int] | None:
    """Width of video and text that a dataset config gives, None where it does not say."""
    if dataset.get('video_dims'):
        video, text = sum(dataset.video_dims), dataset.text_dim
    else:
        widths = []
        for name in ('video', 'text'):
            stores = dataset.get(name) or []
            stores = stores if isinstance(stores, list) else [stores]
            if not stores or any(store.get('dim') is None for store in stores):
                return None
            widths.append(sum(store.dim for store in stores))
        video, text = widths
    tef = (dataset.get('features') or {}).get('tef', True)
    return video + TEF * (len(tef) if isinstance(tef, list | tuple) else int(tef)), text


def kind_of(cfg: Any, shape: Any) -> str:
    """What decides which code a config runs: models of one kind differ in the sizes that
    ``small_model`` replaces, the width of the features and coefficients that are not 0."""

    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: plain(value) for key, value in node.items() if key != 'in_dim'}
        if isinstance(node, list | tuple):
            return [plain(value) for value in node]
        return 'coefficient' if isinstance(node, float) and node else node

    model = plain(cfg.model)
    if cfg.model.get('defaults'):
        model['defaults'] |= {key: 0 for key in SMALL if key in model['defaults']}
    return str((model, cfg.val_evaluator, cfg.default_hooks.get('checkpoint'), shape))


def components(node: Any) -> Any:
    """The types of a config of components, in their places."""
    if isinstance(node, list | tuple):
        return [components(item) for item in node]
    if not isinstance(node, dict):
        return None
    below = {key: components(value) for key, value in node.items() if key != 'type'}
    return node.get('type'), {key: value for key, value in below.items() if value is not None}


def small_model(cfg: Any) -> nn.Module:
    defaults = cfg.model.get('defaults') or {}
    defaults.update({key: value for key, value in SMALL.items() if key in defaults})
    torch.manual_seed(0)
    return MODELS.build(cfg.model)


@pytest.fixture(params=FILES, ids=lambda path: str(path.relative_to(ROOT).with_suffix('')))
def cfg(request: pytest.FixtureRequest) -> Any:
    return load_config(request.param)


def test_config(cfg: Any) -> None:
    """One test per file, so that it is read once, and a model of each kind is built once."""
    if cfg.get('train_cfg') is None:
        check_without_training(cfg)
        return
    text = cfg.model.text_projector
    # Without a projector nothing reads the text, which is then one column wide.
    widths = (cfg.model.video_projector.in_dim, 1 if text is None else text.in_dim)
    audio = cfg.model.get('audio_projector')
    for name, loader in loaders(cfg):
        declared = declared_widths(loader.dataset)
        assert declared in (None, widths), f'{name} gives {declared}, the model takes {widths}'

    dataset = cfg.train_dataloader.dataset
    shape = (
        (dataset.get('labels') or {}).get('max_windows'),
        (dataset.get('features') or {}).get('pad_to_multiple', 1),
    )
    kind = kind_of(cfg, shape)
    if kind in TRIED:  # a config that differs in data, widths, weights or schedule alone
        check_schedule(cfg, TRIED[kind])
        return
    model = TRIED[kind] = small_model(cfg)
    train, test = simulated(*widths, *shape)
    for batch in (train, test) if audio else ():
        batch['audio'] = torch.randn(*batch['video'].shape[:2], audio.in_dim)
    check_schedule(cfg, model)
    # Parts that training switches on late are on in the last epoch. The first epoch of models of
    # the same components is the same.
    parts = str(components(cfg.model))
    for model.progress in (Progress(0, 10), Progress(9, 10))[parts in STARTED :]:
        check_step(model, train)
    STARTED.add(parts)
    check_metric(cfg, test, check_prediction(model, test))


def check_without_training(cfg: Any) -> None:
    """A config with nothing to train: it has no weights, and predicts what its metric reads."""
    assert cfg.get('train_dataloader') is None and cfg.get('optim_wrapper') is None
    model = small_model(cfg)
    assert not list(model.parameters())
    _, test = simulated(8 + TEF, 8 + TEF, None, 1)
    check_metric(cfg, test, check_prediction(model, test))


def check_schedule(cfg: Any, model: nn.Module) -> None:
    """Optimizer and schedules build, and name parameters that exist."""
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper.copy())
    names = [name for name, _ in model.named_parameters()]
    for key in (cfg.optim_wrapper.get('paramwise_cfg') or {}).get('custom_keys', {}):
        assert any(key in name for name in names), f'paramwise_cfg names {key}'
    schedulers = cfg.get('param_scheduler') or []
    for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
        PARAM_SCHEDULERS.build(dict(scheduler), default_args=dict(optimizer=wrapper))


def check_step(model: nn.Module, batch: dict[str, Any]) -> None:
    """Losses and gradients of a training step are finite."""
    model.train()
    model.zero_grad()
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    named = {name: value for name, value in losses.items() if 'loss' in name}
    assert named and all(name.startswith('loss_') for name in named)
    for name, value in losses.items():
        assert value.ndim == 0 and value.isfinite(), name
    sum(named.values()).backward()
    learned = [name for name, p in model.named_parameters() if p.grad is not None]
    assert len(learned) > 10
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def check_prediction(model: nn.Module, batch: dict[str, Any]) -> list[Prediction]:
    """Every sample gets windows in every list, if there is a moment head, and a score per clip."""
    model.eval()
    with torch.no_grad():
        predictions = model.test_step(batch)
    records = to_records(predictions[0], fill=True)
    for record, meta in zip(records, batch['meta'], strict=True):
        assert record['qid'] == meta['qid'] and record['vid'] == meta['vid']
        if 'moment_head' in model.slots:
            for windows in (record['pred_relevant_windows'], *record['alternatives'].values()):
                assert windows and all(len(window) == 3 for window in windows)
        else:
            assert 'pred_relevant_windows' not in record
        if 'saliency_head' in model.slots:
            assert len(record['pred_saliency_scores']) == meta['num_clips']
    return predictions


def check_metric(cfg: Any, batch: dict[str, Any], predictions: list[Prediction]) -> None:
    """The metric gives what the best checkpoint is selected by."""
    if isinstance(cfg.val_evaluator, list) or cfg.val_evaluator.type != 'QVHighlightsMetric':
        return
    metric = METRICS.build(cfg.val_evaluator)
    metric.process(batch, predictions)
    metrics = metric.evaluate(len(predictions[0]))
    wanted = (cfg.default_hooks.get('checkpoint') or {}).get('save_best')
    for key in [wanted] if isinstance(wanted, str) else wanted or []:
        names = [name for name in metrics if name == key or name.endswith(f'/{key}')]
        assert names, f'save_best is {key!r}; the metric gives {", ".join(metrics)}'


def test_there_are_configs_of_every_system() -> None:
    systems = {path.parent.name for path in FILES}
    assert {path.stem for path in (ROOT / '_base_/models').glob('*.py')} <= systems
