# SPDX-License-Identifier: Apache-2.0
"""A model on noise: what it trains, and whether padding counts, before any data are there."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vtg.structures import Progress

from .grounder import Grounder


def noise_batch(
    model: Grounder,
    clips: Sequence[int] = (12, 9),
    words: Sequence[int] = (3, 5),
    moments: bool = True,
) -> dict[str, Any]:
    """Make a labelled batch of noise, on padding too, in the form in which loaders deliver batches.

    Args:
        model: Tells the widths of the features.
        clips, words: Clips and words of every sample.
        moments: Every query has one; False makes queries without.
    """
    generator = torch.Generator().manual_seed(0)
    size, length = len(clips), max(clips)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    def mask(lengths: Sequence[int]) -> Tensor:
        return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]

    count = torch.tensor(clips)
    # One moment over the middle third; its clips are rated, the last of them best.
    start, stop = count // 3, 2 * count // 3
    clip = torch.arange(length)
    inside = (clip >= start[:, None]) & (clip < stop[:, None]) & moments
    saliency = torch.where(inside, 3.0 + clip % 7, 0.0)
    spans = torch.stack(((start + stop) / 2 / count, (stop - start) / count), dim=-1)
    streams = {'audio': length} if 'audio' in model.modalities else {}
    features = {
        name: noise(size, count, *model.row_shape(name), model.input_width(name))
        for name, count in {'video': length, 'text': max(words), **streams}.items()
    }
    return {
        **features,
        'video_mask': mask(clips),
        'text_mask': mask(words),
        'duration': 2.0 * count,
        'targets': {
            'spans': spans.unsqueeze(1),
            'span_mask': torch.full((size, 1), moments),
            'saliency': saliency,
            'relevant': inside,
            'pos_clips': torch.stack((stop - 1, start), dim=1),
            'neg_clips': torch.stack((start, torch.zeros_like(start)), dim=1),
            'source_id': torch.arange(size),
        },
        'meta': [{'qid': i, 'query': f'query {i}', 'vid': f'v{i}'} for i in range(size)],
    }


def unused_parameters(
    model: Grounder, batch: Mapping[str, Any] | None = None, steps: int = 2
) -> list[str]:
    """Name the trainable parameters that nothing trains: no gradient, or rounding errors of 0, in
    every step; see :func:`gradient_sizes`."""
    return [name for name, size in gradient_sizes(model, batch, steps).items() if not size]


def gradient_sizes(
    model: Grounder, batch: Mapping[str, Any] | None = None, steps: int = 2
) -> dict[str, float | None]:
    """Return the largest gradient of every trainable parameter: None where no loss depends on it, 0
    where only rounding errors reach it.

    The steps are taken on a copy, at the end of the training, when all feedback acts. The random
    state stays as it was.

    Args:
        model: On the CPU.
        batch: A collated batch; noise by default.
        steps: Optimisation steps.
    """
    trial, batch = copy.deepcopy(model).train(), batch or noise_batch(model)
    trial.progress = Progress(199, 200)
    sizes: dict[str, float | None] = {
        name: None for name, parameter in trial.named_parameters() if parameter.requires_grad
    }
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        optimizer = torch.optim.SGD(trial.parameters(), lr=1e-2)
        for _ in range(steps):
            optimizer.zero_grad()
            data = trial.data_preprocessor(batch, True)
            trial.parse_losses(trial(**data, mode='loss'))[0].backward()
            found = with_gradient(trial, rounding=1e-7)
            for name, parameter in trial.named_parameters():
                if name in sizes and parameter.grad is not None:
                    size = float(parameter.grad.abs().max()) if name in found else 0.0
                    sizes[name] = max(sizes[name] or 0.0, size)
            optimizer.step()
    return sizes


def sample_of(batch: Mapping[str, Any], index: int) -> dict[str, Any]:
    """One sample of a collated batch without its targets, cut to its own length."""
    row = slice(index, index + 1)
    sample = {'duration': batch['duration'][row]}
    for name in ('video', 'text'):
        length = int(batch[f'{name}_mask'][index].sum())
        for key in (name, f'{name}_mask'):
            sample[key] = batch[key][row, :length]
        if name == 'video' and 'audio' in batch:
            sample['audio'] = batch['audio'][row, :length]
    return sample


def with_padding(batch: Mapping[str, Any], clips: int, words: int, moments: int) -> dict[str, Any]:
    """The same labelled batch, padded further: noise in the features, nothing in masks and
    targets."""
    generator = torch.Generator().manual_seed(1)

    def more(values: Tensor, count: int) -> Tensor:
        shape = (len(values), count, *values.shape[2:])
        noise = torch.randn(shape, generator=generator)
        return torch.cat((values, noise if values.is_floating_point() else noise > torch.inf), 1)

    targets = dict(batch['targets'])
    targets['saliency'] = torch.nn.functional.pad(targets['saliency'], (0, clips))
    targets['relevant'] = more(targets['relevant'], clips)
    targets['span_mask'] = more(targets['span_mask'], moments)
    targets['spans'] = torch.nn.functional.pad(targets['spans'], (0, 0, 0, moments), value=0.5)
    lengths = {
        'video': clips,
        'video_mask': clips,
        'audio': clips,
        'text': words,
        'text_mask': words,
    }
    padded = {key: more(batch[key], count) for key, count in lengths.items() if key in batch}
    return {**batch, **padded, 'targets': targets}


def with_gradient(module: nn.Module, rounding: float = 0.0) -> list[str]:
    """Name the parameters whose gradient is not 0 everywhere.

    Args:
        module: After a backward pass.
        rounding: Share of the largest gradient of all up to which a value counts as 0.
    """
    grads = {n: p.grad for n, p in module.named_parameters() if p.grad is not None}
    # Read at once: a device would be waited for at every value.
    sizes = torch.stack([grad.abs().max() for grad in grads.values()] or [torch.zeros(())])
    largest = dict(zip(grads, sizes.tolist()))
    limit = rounding * max(largest.values(), default=0.0)
    return [name for name, value in largest.items() if value > limit]
