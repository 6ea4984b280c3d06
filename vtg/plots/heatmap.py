# SPDX-License-Identifier: Apache-2.0
"""Heat maps of clips against the words of a query, behind the stages of a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from vtg.apis.train import reduce_data
from vtg.datasets import collate
from vtg.engine import load_config
from vtg.engine.checkpoint import load_weights
from vtg.engine.config import model_config
from vtg.engine.published import CONFIG
from vtg.registry import DATASETS, MODELS
from vtg.utils import ConfigError, shown

from .figure import COLOURS, TRUTH, check_picture, label, legend_above, picture
from .stages import StageMap, stage_maps

_WIDTH = 9.0
_GAP = 0.06


def plot_heatmaps(
    config: str | Path,
    out: str | Path,
    checkpoint: str | Path | None = None,
    sample: int = 0,
    qid: str | None = None,
    split: str = 'val',
    stages: Sequence[str] = (),
    options: Sequence[str] = (),
    rehearsal: bool = False,
    title: str = '',
) -> tuple[list[StageMap], list[str]]:
    """Draw the cosine of every word and clip behind stages of a model, for one query.

    VideoLights (arXiv 2412.01558, Figures 1 and 3) shows such maps after projection, refinement and
    fusion, with the annotated saliency as a line.

    Args:
        config: Config file, or the folder of a published model.
        out: Picture to write.
        checkpoint: Weights; None for random ones, or those of a published model.
        sample: Which query of the split, from 0. qid: Its id instead.
        split: ``'train'``, ``'val'`` or ``'test'``.
        stages: See :func:`vtg.plots.stages.stage_maps`.
        options: Overrides of the config, ``'key=value'``.
        rehearsal: Simulated features of the same widths in place of those in files.
        title: Of the picture; by default the query.

    Returns:
        The maps, and sentences on what is not shown.

    Raises:
        ConfigError: The split, the query or a stage does not exist, or a stage has no clip
            features.
        CheckpointError: The weights do not fit. DataError: The data is not there.
    """
    published = Path(config).is_dir() and (Path(config) / CONFIG).is_file()
    check_picture(out, [config, checkpoint])
    cfg = reduce_data(load_config(config, options), rehearsal)
    init_default_scope('vtg')
    record = _sample(cfg, split, sample, qid)
    batch = collate([record])
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)  # the same picture again, also of random weights
        model = MODELS.build(model_config(cfg))
    weights = checkpoint or (config if published else None)
    if weights is not None:
        load_weights(model, weights)
    inside, saliency = _truth(batch)
    maps, notes = stage_maps(model, batch, stages, inside)
    if weights is None:
        notes = ['no checkpoint was given, so the weights are random.', *notes]
    meta = batch['meta'][0]
    _draw(out, maps, meta, inside, saliency, title or f'{meta["qid"]}: {meta["query"]}',
          [config, checkpoint])  # fmt: skip
    return maps, notes


def _sample(cfg: Config, split: str, sample: int, qid: str | None) -> dict[str, Any]:
    loader = cfg.get(f'{split}_dataloader')
    if loader is None:
        raise ConfigError(f'the config has no {split}_dataloader; choose another --split.')
    dataset = DATASETS.build({**loader.dataset, 'test_mode': True})
    if qid is None:
        if not 0 <= sample < len(dataset):
            raise ConfigError(
                f'{split} has {len(dataset)} queries, numbered from 0; --sample is {sample}.'
            )
        return dataset[sample]
    for index in range(len(dataset)):
        if str(dataset.get_data_info(index)['qid']) == qid:
            return dataset[index]
    raise ConfigError(f'{split} has no query with the qid {shown(qid)}; check --qid and --split.')


def _truth(batch: dict[str, Any]) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Which clips lie in an annotated moment ``(L,)``, and their saliency; None if unknown."""
    targets = batch.get('targets')
    if targets is None:
        return None, None
    clips = batch['meta'][0]['num_clips']
    place = (np.arange(clips) + 0.5) / clips
    centre, width = targets['spans'][0, targets['span_mask'][0]].double().numpy().T
    inside = (np.abs(place[:, None] - centre) <= width / 2).any(1)
    return inside, targets['saliency'][0, :clips].numpy()


def _draw(
    out: str | Path,
    maps: Sequence[StageMap],
    meta: dict[str, Any],
    inside: np.ndarray | None,
    saliency: np.ndarray | None,
    title: str,
    inputs: Sequence[Any],
) -> None:
    names = word_labels(meta['query'], len(maps[0].similarity))
    high = max(0.9, 0.17 * len(names))
    ratios = [0.8, high, _GAP] * len(maps)
    with picture(out, _WIDTH, sum(ratios) + 0.38 * len(maps) + 0.8, inputs) as figure:
        axes = figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios, squeeze=False)
        handles: dict[str, Any] = {}
        for found, curve, heat, gap in zip(maps, axes[::3, 0], axes[1::3, 0], axes[2::3, 0]):
            gap.set_axis_off()
            _curves(curve, found, meta['clip_length'], inside, saliency, handles)
            end = found.similarity.shape[1] * meta['clip_length']
            image = heat.imshow(
                found.similarity, aspect='auto', interpolation='nearest', cmap='viridis',
                extent=(0, end, len(names) - 0.5, -0.5),
            )  # fmt: skip
            heat.set_yticks(range(len(names)), names, fontsize=7)
            heat.spines[['left', 'bottom']].set_visible(False)
            bar = figure.colorbar(image, ax=heat, pad=0.01, fraction=0.03)
            bar.set_label('cosine', fontsize=7)
            bar.ax.tick_params(labelsize=7)
        axes[-2, 0].set_xlabel('seconds')
        axes[-2, 0].tick_params(labelbottom=True)
        legend_above(figure, list(handles.values()), list(handles), _WIDTH, title)


def _curves(
    panel: Any,
    found: StageMap,
    clip_length: float,
    inside: np.ndarray | None,
    saliency: np.ndarray | None,
    handles: dict[str, Any],
) -> None:
    """The strip above a map: mean similarity, annotated saliency, annotated moments."""
    told = '' if found.separation is None else f', AUC {found.separation:.2f}'
    panel.set_title(label(f'{found.stage} ({found.component}){told}', 100), loc='left')
    edges = np.arange(len(found.mean) + 1) * clip_length
    if inside is not None:
        count = len(inside)
        handles['annotated moment'] = panel.stairs(
            inside * 1.05, edges[: count + 1], baseline=-0.05, fill=True, color=TRUTH, alpha=0.15
        )
        if saliency is not None and saliency.any():
            handles['annotated saliency'] = panel.stairs(
                _scaled(saliency[:count]), edges[: count + 1], color=TRUTH, linewidth=1.3
            )
    handles['mean over the words'] = panel.stairs(
        _scaled(found.mean), edges, color=COLOURS[0], linewidth=1.3
    )
    panel.set_yticks([])
    panel.set_ylim(-0.05, 1.05)
    panel.spines['left'].set_visible(False)


def _scaled(values: np.ndarray) -> np.ndarray:
    """From 0 to 1."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)


def word_labels(query: str, count: int) -> list[str]:
    """Names of ``count`` tokens: the words of the query where there are as many, or two more for
    the marks of beginning and end; else numbers, because an encoder has cut words to pieces."""
    words = str(query).split()
    if count == len(words) + 2:
        words = ['(start)', *words, '(end)']
    if count != len(words):
        words = [f'token {number}' for number in range(1, count + 1)]
    return [label(word, 18) for word in words]
