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
    model: Grounder, clips: Sequence[int] = (12, 9), words: Sequence[int] = (3, 5)
) -> dict[str, Any]:
    """Make a labelled batch of noise in the form in which loaders deliver batches.

    Args:
        model: Tells the widths of the features.
        clips, words: Clips and words of every sample.
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
    inside = (clip >= start[:, None]) & (clip < stop[:, None])
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
            'span_mask': torch.ones(size, 1, dtype=torch.bool),
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
    every step.

    The steps are taken on a copy, at the end of the training, when all feedback acts. The random
    state stays as it was.

    Args:
        model: On the CPU.
        batch: A collated batch; noise by default.
        steps: Optimisation steps.
    """
    trial, batch = copy.deepcopy(model).train(), batch or noise_batch(model)
    trial.progress = Progress(199, 200)
    unused = {name for name, parameter in trial.named_parameters() if parameter.requires_grad}
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        optimizer = torch.optim.SGD(trial.parameters(), lr=1e-2)
        for _ in range(steps):
            optimizer.zero_grad()
            data = trial.data_preprocessor(batch, True)
            trial.parse_losses(trial(**data, mode='loss'))[0].backward()
            unused -= set(with_gradient(trial, rounding=1e-7))
            optimizer.step()
    return [name for name, _ in model.named_parameters() if name in unused]


def padding_difference(model: Grounder, batch: Mapping[str, Any] | None = None) -> float:
    """Return the largest difference between what a model predicts for a sample in a padded batch
    and for the sample alone: clip scores, spans in seconds and their scores, before any
    post-processing. It is 0 but for rounding where padding does not count.

    Weights get some noise, on a copy, so that no zero at the start hides anything.

    Args:
        model: On the CPU.
        batch: A collated batch of videos and texts of unequal lengths; noise by default.
    """
    trial = copy.deepcopy(model).eval()
    batch = batch or noise_batch(model, clips=(12, 9, 7), words=(3, 5, 2))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in trial.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    together = _predicted(trial, batch)
    largest = 0.0
    for index, expected in enumerate(together):
        (alone,) = _predicted(trial, _sample(batch, index))
        for ours, theirs in zip(alone, expected, strict=True):
            same_size = ours.shape == theirs.shape
            largest = max(largest, float((ours - theirs).abs().max()) if same_size else torch.inf)
    return largest


@torch.no_grad()
def _predicted(model: Grounder, batch: Mapping[str, Any]) -> list[list[Tensor]]:
    """Clip scores, spans and their scores of every sample, without padding."""
    state = model(**model.data_preprocessor(batch), mode='tensor')
    found = [] if state.saliency is None else [(state.saliency, state.video_mask)]
    if 'moment_head' in model.slots:
        for moments in model.slots['moment_head'].predict(state).values():
            found += [(moments.spans, moments.mask), (moments.scores, moments.mask)]
    return [[values[i][mask[i]] for values, mask in found] for i in range(len(state.duration))]


def _sample(batch: Mapping[str, Any], index: int) -> dict[str, Any]:
    """One sample of a collated batch, cut to its own length."""
    row = slice(index, index + 1)
    sample = {'duration': batch['duration'][row]}
    for name in ('video', 'text'):
        length = int(batch[f'{name}_mask'][index].sum())
        for key in (name, f'{name}_mask'):
            sample[key] = batch[key][row, :length]
        if name == 'video' and 'audio' in batch:
            sample['audio'] = batch['audio'][row, :length]
    return sample


def with_gradient(module: nn.Module, rounding: float = 0.0) -> list[str]:
    """Name the parameters whose gradient is not 0 everywhere.

    Args:
        module: After a backward pass.
        rounding: Share of the largest gradient of all up to which a value counts as 0.
    """
    largest = {
        name: float(parameter.grad.abs().max())
        for name, parameter in module.named_parameters()
        if parameter.grad is not None
    }
    limit = rounding * max(largest.values(), default=0.0)
    return [name for name, value in largest.items() if value > limit]
