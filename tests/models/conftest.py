# SPDX-License-Identifier: Apache-2.0
"""Small batches and states of unequal lengths, and the check that padding never matters."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch import Tensor, nn

from vtg.engine import load_config
from vtg.registry import MODELS
from vtg.structures import Extra, Extras, FeaturePyramid, GroundingState, GroundingTargets

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
STRIDES = (0.5, 1.0, 2.0, 4.0)
VIDEO = {
    'video_features', 'video_mask', 'projected_video', 'video', 'video_pos', 'local_saliency',
    'fused', 'memory', 'moment_memory', 'saliency_memory', 'saliency',
}  # fmt: skip
# What is per clip in extras, and what is per sample.
CLIPS = {'attention': ['weights'], 'foreground': ['probability'], 'clip_gain': ['gain']}
WORDS = {'guided_text': ['tokens']}
SAMPLES = {
    **CLIPS, **WORDS, 'dummies': ['tokens'], 'context': ['token'], 'query_sentence': ['vector']
}  # fmt: skip
TEXT = {
    'text_features', 'text_mask', 'projected_text', 'text', 'text_pos', 'fused_text', 'memory_text'
}  # fmt: skip
TARGET_VIDEO, TARGET_MOMENT = {'saliency', 'relevant'}, {'spans', 'span_mask'}


@cache
def read_model(name: str) -> dict[str, Any]:
    return load_config(CONFIGS / name).model.to_dict()


def model_of(name: str) -> dict[str, Any]:
    return copy.deepcopy(read_model(name))


def mask_of(lengths: Sequence[int]) -> Tensor:
    return torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]


class Toy:
    """Factories; every random content, that of padding included, comes from the global seed."""

    dim = 16

    @staticmethod
    def batch(
        clips: Sequence[int] = (12, 7, 9),
        words: Sequence[int] = (5, 1, 4),
        moments: Sequence[Sequence[tuple[float, float]]] | None = None,
        video_dim: int = 10,
        text_dim: int = 8,
        sources: Sequence[int] | None = None,
    ) -> dict[str, Any]:
        """A collated batch; ``moments`` holds (start, end) in clips, by default one or two."""
        if moments is None:
            moments = [[(0, n // 2)] + [(n - 2, n)] * (n > 8) for n in clips]
        size, count = max(clips), max(map(len, moments))
        spans = torch.full((len(clips), count, 2), 0.5)
        saliency = torch.zeros(len(clips), size)
        for row, (length, pairs) in enumerate(zip(clips, moments)):
            for index, (start, end) in enumerate(pairs):
                spans[row, index] = torch.tensor([(start + end) / 2, end - start]) / length
                inside = torch.arange(int(start), min(int(end), length))
                saliency[row, inside] = 1.0 + (inside * 5 % 12)
        pairs = torch.stack([torch.randint(length, (2, 2)) for length in clips])
        return {
            'video': torch.randn(len(clips), size, video_dim),
            'audio': torch.randn(
                len(clips), size, video_dim, generator=torch.Generator().manual_seed(0)
            ),
            'video_mask': mask_of(clips),
            'text': torch.randn(len(words), max(words), text_dim),
            'text_mask': mask_of(words),
            'duration': 2.0 * torch.tensor(clips),
            'targets': {
                'spans': spans,
                'span_mask': torch.arange(count)[None] < torch.tensor([[len(m)] for m in moments]),
                'saliency': saliency,
                'relevant': saliency > 0,
                'pos_clips': pairs[:, 0],
                'neg_clips': pairs[:, 1],
                'source_id': torch.tensor(sources or range(len(clips))),
            },
            'meta': [{'qid': i, 'query': f'query {i}', 'vid': f'v{i}'} for i in range(len(clips))],
        }

    @classmethod
    def state(cls, dim: int = dim, targets: bool = True, **kwargs: Any) -> GroundingState:
        """A state in which every field up to the pyramid is set to noise."""
        batch = cls.batch(**kwargs)
        size, words = batch['video_mask'].shape, batch['text_mask'].shape
        spread = (*size, dim)
        values = {name: torch.randn(spread) for name in ('projected_video', 'video', 'video_pos')}
        values |= {name: torch.randn(spread) for name in ('fused', 'memory')}
        values |= {name: torch.randn(*words, dim) for name in ('projected_text', 'text')}
        values |= {name: torch.randn(size) for name in ('local_saliency', 'saliency')}
        return GroundingState(
            video_features=batch['video'],
            video_mask=batch['video_mask'],
            text_features=batch['text'],
            text_mask=batch['text_mask'],
            duration=batch['duration'],
            targets=GroundingTargets.from_batch(batch, torch.device('cpu')) if targets else None,
            text_pos=torch.randn(*words, dim),
            sentence=torch.randn(len(batch['video']), dim),
            pyramid=cls.pyramid(batch['video_mask'], dim),
            **values,
        )

    @staticmethod
    def pyramid(video_mask: Tensor, dim: int) -> FeaturePyramid:
        """Noise at half, one, two and four clips per cell, zero on padding."""
        size = -(-video_mask.shape[1] // 4) * 4
        masks = [
            mask_of([*(video_mask.sum(1) / stride).ceil().int().tolist(), int(size / stride)])[:-1]
            for stride in STRIDES
        ]
        features = [torch.randn(*mask.shape, dim) * mask[..., None] for mask in masks]
        return FeaturePyramid(tuple(features), tuple(masks), STRIDES)

    @staticmethod
    def scrambled(state: GroundingState) -> GroundingState:
        """The same state with other noise on all padding."""
        values = {}
        for name, mask in (
            *((name, state.video_mask) for name in VIDEO - {'video_mask'}),
            *((name, state.text_mask) for name in TEXT - {'text_mask'}),
        ):
            value = getattr(state, name)
            if value is not None:
                keep = mask.view(*mask.shape, *[1] * (value.ndim - 2))
                values[name] = torch.where(keep, value, 5 * torch.randn_like(value))
        for name, extra in state.extras.values.items():
            for item in CLIPS.get(name, ()):
                value = getattr(extra, item)
                keep = state.video_mask.view(*state.video_mask.shape, *[1] * (value.ndim - 2))
                noise = torch.where(keep, value, 5 * torch.randn_like(value))
                values[name] = extra = replace(extra, **{item: noise})
            for item in WORDS.get(name, ()):
                value = getattr(extra, item)
                noise = torch.where(state.text_mask[..., None], value, 5 * torch.randn_like(value))
                values[name] = extra = replace(extra, **{item: noise})
        return state.update(**values)

    @staticmethod
    def alone(state: GroundingState, index: int) -> GroundingState:
        """Sample ``index`` without neighbours and without padding."""
        row = slice(index, index + 1)
        clips, words = (int(mask[index].sum()) for mask in (state.video_mask, state.text_mask))
        values = {}
        for field in fields(state):
            value = getattr(state, field.name)
            if isinstance(value, Tensor):
                value = value[row]
                if field.name in VIDEO:
                    value = value[:, :clips]
                elif field.name in TEXT:
                    value = value[:, :words]
            elif isinstance(value, FeaturePyramid):
                sizes = [int(-(-clips // 4) * 4 / stride) for stride in STRIDES]
                value = FeaturePyramid(
                    tuple(x[row, :size] for x, size in zip(value.features, sizes)),
                    tuple(mask[row, :size] for mask, size in zip(value.masks, sizes)),
                    value.strides,
                )
            elif isinstance(value, GroundingTargets):
                value = one_target(value, row, clips)
            elif isinstance(value, Extras):
                value = Extras(
                    {n: one_extra(x, row, clips, words) for n, x in value.values.items()}
                )
            elif isinstance(value, GroundingState):
                value = Toy.alone(value, index)
            values[field.name] = value
        return GroundingState(**values)

    @classmethod
    def assert_padding_free(
        cls,
        run: Callable[[GroundingState], dict[str, tuple[Tensor, Tensor | None]]],
        state: GroundingState,
        tolerance: float = 1e-5,
    ) -> None:
        """Compare a run with one on other padding and with every sample alone.

        ``run`` returns ``{name: (values, mask)}``; a mask of None means that all values count.
        """
        with torch.no_grad():
            whole, other = run(state), run(cls.scrambled(state))
            for name, (values, mask) in whole.items():
                assert close(real(other[name][0], mask), real(values, mask), tolerance), name
            for index in range(len(state.duration)):
                for name, (values, mask) in run(cls.alone(state, index)).items():
                    batched = whole[name]
                    row_mask = None if mask is None else batched[1][index]
                    ours = real(batched[0][index], row_mask)
                    assert close(ours, real(values[0], None if mask is None else mask[0]),
                                 tolerance), f'{name} of sample {index}'  # fmt: skip


def one_extra(extra: Extra, row: slice, clips: int, words: int) -> Extra:
    values = {name: getattr(extra, name)[row] for name in SAMPLES.get(extra.name, ())}
    values |= {name: values[name][:, :words] for name in WORDS.get(extra.name, ())}
    values |= {name: values[name][:, :clips] for name in CLIPS.get(extra.name, ())}
    return replace(extra, **values)


def one_target(targets: GroundingTargets, row: slice, clips: int) -> GroundingTargets:
    moments = int(targets.span_mask[row].sum())
    values = {}
    for field in fields(targets):
        value = getattr(targets, field.name)
        if isinstance(value, Tensor):
            value = value[row]
            if field.name in TARGET_VIDEO:
                value = value[:, :clips]
            elif field.name in TARGET_MOMENT:
                value = value[:, :moments]
        values[field.name] = value
    if targets.host is not None:
        values['host'] = one_target(targets.host, row, clips)
    return replace(targets, **values)


def real(values: Tensor, mask: Tensor | None) -> Tensor:
    return values if mask is None else values[mask]


def close(a: Tensor, b: Tensor, tolerance: float) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.fixture
def toy() -> type[Toy]:
    return Toy


@pytest.fixture
def shaken() -> Callable[[nn.Module], nn.Module]:
    """``shaken(module, scale=0.2)``: add noise to all parameters, so that no zero hides a term."""

    def shake(module: nn.Module, scale: float = 0.2) -> nn.Module:
        with torch.no_grad():
            for parameter in module.parameters():
                parameter += scale * torch.randn_like(parameter)
        return module

    return shake


@pytest.fixture
def without_gradient() -> Callable[[nn.Module], list[str]]:
    """``without_gradient(module)``: names of the parameters that got no gradient, or only zeros."""

    def names(module: nn.Module) -> list[str]:
        return [
            name
            for name, parameter in module.named_parameters()
            if parameter.grad is None or not parameter.grad.abs().sum() > 0
        ]

    return names


@pytest.fixture
def sgdetr_config() -> Callable[..., Any]:
    """``sgdetr_config(overrides)``: SG-DETR's published model, narrow, without noise.

    It takes the features of :meth:`Toy.batch`; ``overrides`` are dotted keys.
    """

    def make(overrides: dict[str, Any] | None = None, official: bool = False) -> Any:
        name = 'sgdetr/qvhl_official.py' if official else 'sgdetr/qvhl.py'
        cfg = Config({'model': model_of(name)})
        narrow = dict(dim=16, num_heads=4, hidden_dim=32, dropout=0.0, drop_path=0.0)
        cfg.merge_from_dict(
            {
                'model.defaults': narrow,
                'model.video_projector.in_dim': 10,
                'model.text_projector.in_dim': 8,
                'model.video_projector.dropout': 0.0,
                'model.text_projector.dropout': 0.0,
                'model.moment_head.query_head.queries.num_queries': 6,
                **{f'model.{key}': value for key, value in (overrides or {}).items()},
            }
        )
        return cfg.model

    return make


@pytest.fixture
def sgdetr(sgdetr_config, shaken) -> Callable[..., Any]:
    """``sgdetr(overrides)``: that model with noise on its weights."""

    def build(overrides: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        return shaken(MODELS.build(sgdetr_config(overrides, **kwargs)), 0.1)

    return build
