# SPDX-License-Identifier: Apache-2.0
"""From raw moments to the list that is reported: clamp, round, limit lengths, sort, cut.

Pure functions on spans ``(B, K, 2)`` in seconds, and the steps of a post-processor over them. A
step is called as ``step(moments, duration)`` with a :class:`MomentList` and the seconds per sample
``(B,)``, and returns a new list. Padded entries are carried along; NaN stays NaN.
"""

from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from vtg.registry import TASK_UTILS
from vtg.structures import MomentList
from vtg.utils import ConfigError


def clamp_spans(spans: Tensor, low: float, high: float | Tensor) -> Tensor:
    """Move both ends into ``[low, high]``; ``high`` is in seconds, a number or ``(B,)``."""
    if isinstance(high, Tensor):
        return torch.minimum(spans.clamp(min=low), high.to(spans).view(-1, 1, 1))
    return spans.clamp(min=low, max=high)


def round_spans(spans: Tensor, grid: float) -> Tensor:
    """Move both ends to the nearest multiple of ``grid`` seconds, halves to the even multiple."""
    return (spans / grid).round() * grid


def limit_lengths(spans: Tensor, min_length: float, max_length: float) -> Tensor:
    """Give spans outside ``[min_length, max_length]`` the nearer of these lengths, same centre."""
    length = spans[..., 1] - spans[..., 0]
    half = 0.5 * length.clamp(min=min_length, max=max_length)
    centre = 0.5 * (spans[..., 0] + spans[..., 1])
    resized = torch.stack((centre - half, centre + half), dim=-1)
    outside = (length < min_length) | (length > max_length)
    return torch.where(outside.unsqueeze(-1), resized, spans)


def round_scores(scores: Tensor, digits: int) -> Tensor:
    """Round to ``digits`` decimals, computed in float64 as decimal formatting would."""
    scale = 10.0**digits
    return ((scores.double() * scale).round() / scale).to(scores.dtype)


@TASK_UTILS.register_module()
class ClampMoments:
    """Move both ends into ``[low, high]`` seconds; without ``high``, to the end of the video."""

    benchmark_facts: ClassVar[dict[str, str]] = {'high': 'duration_limit'}

    def __init__(self, low: float = 0.0, high: float | None = None) -> None:
        self.low = low
        self.high = high

    def __call__(self, moments: MomentList, duration: Tensor | None = None) -> MomentList:
        high = duration if self.high is None else self.high
        if high is None:
            raise ConfigError('ClampMoments needs `high` in seconds where no durations are given.')
        return replace(moments, spans=clamp_spans(moments.spans, self.low, high))


@TASK_UTILS.register_module()
class RoundMoments:
    """Move both ends to multiples of ``grid`` seconds, halves to even; None leaves them.

    ``keep_last`` leaves moments as they are that reach the end of the video, as the code of
    R2-Tuning does.
    """

    benchmark_facts: ClassVar[dict[str, str]] = {'grid': 'grid'}

    def __init__(self, grid: float | None = None, keep_last: bool = False) -> None:
        if grid is not None and not grid > 0:
            raise ConfigError(f'RoundMoments has grid={grid}; expected seconds above 0.')
        self.grid = grid
        self.keep_last = keep_last

    def __call__(self, moments: MomentList, duration: Tensor | None = None) -> MomentList:
        if self.grid is None:
            return moments
        spans = round_spans(moments.spans, self.grid)
        if self.keep_last:
            if duration is None:
                raise ConfigError('RoundMoments: keep_last needs the durations of the videos.')
            last = moments.spans[..., 1:] >= duration.to(spans).view(-1, 1, 1)
            spans = torch.where(last, moments.spans, spans)
        return replace(moments, spans=spans)


@TASK_UTILS.register_module()
class LimitLengths:
    """Resize moments shorter than ``min_length`` or longer than ``max_length`` around their centre.

    The result may leave the range and the grid; add a second clamp where that matters.
    """

    benchmark_facts: ClassVar[dict[str, str]] = {
        'min_length': 'clip_length',
        'max_length': 'duration_limit',
    }

    def __init__(self, min_length: float = 0.0, max_length: float = float('inf')) -> None:
        if not 0 <= min_length <= max_length:
            raise ConfigError(
                f'LimitLengths has min_length={min_length}, max_length={max_length}; '
                'expected 0 <= min_length <= max_length in seconds.'
            )
        self.min_length = min_length
        self.max_length = max_length

    def __call__(self, moments: MomentList, duration: Tensor | None = None) -> MomentList:
        spans = limit_lengths(moments.spans, self.min_length, self.max_length)
        return replace(moments, spans=spans)


@TASK_UTILS.register_module()
class RoundScores:
    """Round scores to ``digits`` decimals."""

    def __init__(self, digits: int = 4) -> None:
        self.digits = digits

    def __call__(self, moments: MomentList, duration: Tensor | None = None) -> MomentList:
        return replace(moments, scores=round_scores(moments.scores, self.digits))


@TASK_UTILS.register_module()
class PostProcessor:
    """Steps applied one after the other, in the order of the dict.

    The steps have names so that a config that inherits can change one; a step that is None is
    skipped. SG-DETR on QVHighlights::

        post_processor = dict(type='PostProcessor', steps=dict(
            clamp=dict(type='ClampMoments', high=150.0),
            round=dict(type='RoundMoments', grid=2.0),
            length=dict(type='LimitLengths', min_length=2.0, max_length=150.0),
            clamp_again=None,
            scores=dict(type='RoundScores', digits=4)))

    Args:
        steps: Name to the config of a step.
    """

    def __init__(self, steps: dict[str, dict[str, Any] | None]) -> None:
        self.steps = {name: TASK_UTILS.build(cfg) for name, cfg in steps.items() if cfg is not None}

    def __call__(self, moments: MomentList, duration: Tensor | None = None) -> MomentList:
        for step in self.steps.values():
            moments = step(moments, duration)
        return moments
