# SPDX-License-Identifier: Apache-2.0
"""Values that the toolbox itself gave, for every system at small width.

Weights and inputs are not stored: they are drawn from NumPy's ``RandomState``, whose stream never
changes, weights by the recorded names and shapes of the parameters. So a set holds what came out
alone, and a renamed parameter is found through the same hooks as in a checkpoint.
"""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from systems import WIDTH, small_system
from torch import Tensor

import vtg
from vtg.engine.renamed import renamed_weight
from vtg.models import Grounder
from vtg.structures import Progress

from .common import gradient_norms, predict, set_options, train_step, without_noise
from .core import ReferenceSet, Row, compare, compare_relative

PREFIX = 'recorded_'
# Fields of the state after inference, where a system has them.
FIELDS = ('video', 'text', 'fused', 'memory', 'saliency', 'spans', 'span_scores')
TOLERANCE = 1e-4
GRADIENT_TOLERANCE = 2e-3
# Moments of every sample: some, in one sample none, and in the whole batch none.
BATCHES = {'plain/': (2, 1, 3), 'some/': (2, 0, 1), 'none/': (0, 0, 0)}
CLIPS, WORDS = (12, 8, 9), (6, 6, 4)


def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Normal numbers that depend on a name alone."""
    state = np.random.RandomState(zlib.crc32(name.encode()))
    return state.standard_normal(shape).astype(np.float32)


def weight(name: str, shape: tuple[int, ...]) -> Tensor:
    """A parameter: matrices keep the size of their inputs, scales of norms are around 1."""
    noise = torch.from_numpy(np.asarray(drawn(name, shape)))
    if len(shape) >= 2:
        return noise / float(np.prod(shape[1:])) ** 0.5
    return 0.1 * noise + (1.0 if name.endswith('weight') else 0.0)


def load_drawn(model: Grounder, shapes: dict[str, list[int]]) -> None:
    """Load drawn weights under the recorded names.

    Raises:
        RuntimeError: A parameter of the model is not among them, or one of them has no place.
    """
    weights = {renamed_weight(name): weight(name, tuple(shape)) for name, shape in shapes.items()}
    result = model.load_state_dict(weights, strict=False)
    missing = set(result.missing_keys) & {name for name, _ in model.named_parameters()}
    if missing or result.unexpected_keys:
        raise RuntimeError(f'not recorded: {sorted(missing)}; gone: {result.unexpected_keys}')


def batch_with(
    counts: tuple[int, ...],
    modalities: tuple[str, ...] = ('video', 'text'),
    row_shapes: tuple[tuple[int, ...], tuple[int, ...]] = ((), ()),
) -> dict[str, Any]:
    """A padded batch with so many moments per sample; rows of video and text may have axes."""
    size, clips, words, moments = len(counts), max(CLIPS), max(WORDS), max(counts)
    mask = torch.arange(clips) < torch.tensor(CLIPS)[:, None]
    text_mask = torch.arange(words) < torch.tensor(WORDS)[:, None]
    ends = torch.from_numpy(drawn('spans', (size, max(moments, 1), 2))).sigmoid()
    low, high = ends.amin(-1)[:, :moments], ends.amax(-1)[:, :moments]
    span_mask = torch.arange(moments) < torch.tensor(counts)[:, None]
    centre = (torch.arange(clips) + 0.5) / torch.tensor(CLIPS)[:, None]
    inside = (centre[:, None] >= low[..., None]) & (centre[:, None] < high[..., None])
    relevant = (inside & span_mask[..., None]).any(dim=1) & mask
    first = relevant.long().argmax(dim=1)
    grades = torch.from_numpy(drawn('grades', (size, clips))).abs() * 4
    audio = {}
    if 'audio' in modalities:
        audio['audio'] = torch.from_numpy(drawn('audio', (size, clips, WIDTH))) * mask[..., None]

    def features(name: str, real: torch.Tensor, row_shape: tuple[int, ...]) -> torch.Tensor:
        values = torch.from_numpy(drawn(name, (*real.shape, *row_shape, WIDTH)))
        return values * real.view(*real.shape, *(1 for _ in row_shape), 1)

    return {
        **audio,
        'video': features('video', mask, row_shapes[0]),
        'video_mask': mask,
        'text': features('text', text_mask, row_shapes[1]),
        'text_mask': text_mask,
        'duration': torch.tensor(CLIPS) * 2.0,
        'targets': {
            'spans': torch.stack(((low + high) / 2, high - low), dim=-1),
            'span_mask': span_mask,
            'saliency': torch.where(relevant, grades, 0.0),
            'relevant': relevant,
            'pos_clips': torch.stack((first, first), dim=1),
            'neg_clips': torch.tensor([[9, 8], [1, 0], [2, 1]]),
            'source_id': torch.arange(size),
        },
        'meta': [{'qid': index, 'query': '', 'vid': str(index)} for index in range(size)],
    }


def build(system: str) -> Grounder:
    """A system at small width, halfway through training, without noise or random queries."""
    quiet = {'moment_head.query_head?.extras': None, 'moment_head.collab?': False}
    model = small_system(system, change=lambda cfg: set_options(cfg, quiet), layers=None)
    model.progress = Progress(100, 200)
    return without_noise(model)


def values(model: Grounder) -> Iterator[tuple[str, Any]]:
    """Everything that is recorded, by name."""
    for prefix, counts in BATCHES.items():
        torch.manual_seed(0)
        batch = batch_with(
            counts, model.modalities, (model.row_shape('video'), model.row_shape('text'))
        )
        state, records = predict(model, batch)
        if prefix == 'plain/':
            for name in FIELDS:
                if getattr(state, name, None) is not None:
                    yield f'{prefix}out/{name}', getattr(state, name)
            for index, record in enumerate(records):
                lists = {'': record['pred_relevant_windows'], **record.get('alternatives', {})}
                for name, rows in lists.items():
                    yield f'{prefix}out/windows/{index}{name and "/"}{name}', torch.tensor(rows)
        step = train_step(model, batch)
        for name, loss in step.losses.items():
            yield f'{prefix}loss/{name}', loss
        yield f'{prefix}loss/total', step.total
        norm = gradient_norms(model)
        groups: dict[str, set[str]] = {}
        for name, _ in model.named_parameters():
            groups.setdefault(name.partition('.')[0], set()).add(name)
        for group, names in groups.items():
            yield f'{prefix}grad/{group}', torch.tensor(norm(names))


def record(system: str, folder: Path) -> None:
    """Write the set of a system: ``recorded_SYSTEM.npz`` and ``.json``."""
    model = build(system)
    shapes = {name: list(parameter.shape) for name, parameter in model.named_parameters()}
    load_drawn(model, shapes)
    found = {
        name: np.asarray(value.detach(), np.float32) if isinstance(value, Tensor) else value
        for name, value in values(model)
    }
    info = {'system': system, 'vtg': vtg.__version__, 'torch': torch.__version__}
    np.savez_compressed(folder / f'{PREFIX}{system}.npz', **found)
    text = json.dumps({**info, 'parameters': shapes}, separators=(',', ':'))
    (folder / f'{PREFIX}{system}.json').write_text(text + '\n', encoding='utf-8')


def check(folder: str | Path, system: str) -> Iterator[Row]:
    """Compare what the toolbox gives now with what it gave when the set was recorded."""
    data = ReferenceSet(folder, f'{PREFIX}{system}')
    model = build(system)
    load_drawn(model, data.info['parameters'])
    found = dict(values(model))
    for name in sorted({*found, *data}):
        if name not in data or name not in found:
            where = 'now' if name not in data else 'in the recorded set'
            yield Row(name, float('inf'), 0.0, f'only {where}')
        elif '/grad/' in name and float(data[name]) > 1e-4:
            yield compare_relative(name, found[name], data[name], GRADIENT_TOLERANCE)
        else:
            yield compare(name, found[name], data[name], TOLERANCE)
