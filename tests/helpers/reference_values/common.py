# SPDX-License-Identifier: Apache-2.0
"""What the comparisons of all systems share: inputs, inference, training steps, gradients."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from mmengine import Config
from torch import Tensor, nn

from vtg.conversion import CONVERSIONS, convert_state_dict
from vtg.models import Grounder
from vtg.models.heads import QueryHead
from vtg.models.layers import DropPath
from vtg.registry import MODELS
from vtg.structures import GroundingState, GroundingTargets

from .batches import batch_of as batch_of
from .batches import extend_padding, single
from .batches import pad_spans as pad_spans
from .core import ReferenceSet, Row, compare, compare_exact, compare_relative

OUTPUT_TOLERANCE = 1e-5
LOSS_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 1e-3
# Reported scores are rounded to four decimals on both sides.
SCORE_TOLERANCE = 1.01e-4


def copy_config(model: dict) -> Any:
    """A deep copy of a model config that can be changed by attributes."""
    return Config({'model': copy.deepcopy(model)}).model


def without_noise(model: nn.Module) -> nn.Module:
    """Set every dropout and stochastic depth probability of a built model to 0, in place."""
    for module in model.modules():
        if isinstance(module, nn.Dropout | nn.Dropout1d):
            module.p = 0.0
        elif isinstance(module, DropPath):
            module.rate = 0.0
        elif isinstance(getattr(module, 'dropout', None), float):
            module.dropout = 0.0
    return model


def build_converted(cfg: dict, system: str, weights: dict[str, Tensor]) -> Grounder:
    """Build a model without noise and load published weights, every one of them."""
    model = without_noise(MODELS.build(cfg))
    model.load_state_dict(convert_state_dict(system, weights), strict=True)
    return model


def predict(model: Grounder, batch: dict) -> tuple[GroundingState, list[dict[str, Any]]]:
    """The state and the records of an inference run."""
    model.eval()
    with torch.no_grad():
        arguments = model.data_preprocessor(batch, False)
        state = model(**arguments, mode='tensor')
        return state, model.records(state, arguments['meta'])


@dataclass(frozen=True)
class Step:
    """What a training step gives: the state, the losses and the matches of every matcher call.

    The gradients are in the model.
    """

    state: GroundingState
    losses: dict[str, Tensor]
    matches: list[Tensor]

    @property
    def total(self) -> Tensor:
        """The sum that is minimised; values for the log are left out."""
        return sum(value for name, value in self.losses.items() if 'loss' in name)


def train_step(
    model: Grounder,
    batch: dict,
    change: Callable[[GroundingTargets], GroundingTargets] | None = None,
) -> Step:
    """Run forward and backward in training mode.

    Args:
        model: Without noise.
        batch: A collated batch.
        change: Replaces the targets before the model sees them.
    """
    model.train()
    model.zero_grad()
    arguments = model.data_preprocessor(batch, True)
    targets = arguments['targets'] if change is None else change(arguments['targets'])
    state = GroundingState(
        video_features=arguments['video'],
        video_mask=arguments['video_mask'],
        text_features=arguments['text'],
        text_mask=arguments['text_mask'],
        duration=arguments['duration'],
        targets=targets,
        progress=model.progress,
    )
    matches: list[Tensor] = []
    heads = [module for module in model.modules() if isinstance(module, QueryHead)]
    matchers = [head.matcher for head in heads]

    def recording(matcher: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def match(*args: Any) -> Tensor:
            matches.append(matcher(*args))
            return matches[-1]

        return match

    for head, matcher in zip(heads, matchers):
        head.matcher = recording(matcher)
    try:
        state = model.with_negatives(model.run(state, model.stages))
        step = Step(state, model.losses(state), matches)
    finally:
        for head, matcher in zip(heads, matchers):
            head.matcher = matcher
    step.total.backward()
    return step


def gradient_norm(model: Grounder, names: set[str]) -> float:
    """L2 norm of the gradients of the named parameters; those without a gradient count as 0."""
    total = 0.0
    for name, parameter in model.named_parameters():
        if name in names and parameter.grad is not None:
            total += parameter.grad.double().square().sum().item()
    return total**0.5


def check_gradients(
    model: Grounder,
    system: str,
    data: ReferenceSet,
    prefix: str,
    skipped: dict[str, str] | None = None,
    folder: str = 'grad/',
) -> Iterator[Row]:
    """Compare the gradient norm of every module whose norm is stored under ``<prefix>grad/``.

    The parameters of a module are found through the conversion of its keys.

    Args:
        model: After a training step.
        system: Whose conversion.
        data: The set.
        prefix: Of the keys.
        skipped: Modules that are not compared, and why.
        folder: Another name for ``grad/``.
    """
    conversion = CONVERSIONS[system]
    keys = list(data.below('sd/'))
    for module, stored in data.below(f'{prefix}{folder}').items():
        name = f'{prefix}{folder}{module}'
        if module in (skipped or {}):
            yield Row(name, None, note=skipped[module])
            continue
        every = module in ('__all__', '_total', 'ALL')
        inside = [key for key in keys if every or key == module or key.startswith(f'{module}.')]
        names = {conversion.rename(key) or '' for key in inside}
        # Parts that the conversion joins are renamed to '<parameter>.<part>'.
        names |= {name.rpartition('.')[0] for name in names}
        ours = gradient_norm(model, names)
        if float(stored) == 0.0:
            yield compare(name, torch.tensor(ours), stored, 1e-8)
        else:
            yield compare_relative(name, ours, stored, GRADIENT_TOLERANCE)


def check_matches(name: str, ours: Tensor, theirs: Tensor) -> Row:
    """Compare matches of one stage, ``(B, G)`` query of every moment, with stored rows ``(sample,
    query, moment)``."""
    rows = [(b, q, g) for b, row in enumerate(ours.tolist()) for g, q in enumerate(row) if q >= 0]
    return compare_exact(name, sorted(rows), sorted(map(tuple, theirs.tolist())))


def check_records(
    prefix: str, records: list[dict[str, Any]], windows: Tensor | None, saliency: Tensor | None
) -> Iterator[Row]:
    """Compare reported windows ``(B, Q, 3)`` and clip scores ``(B, L)``, NaN on padding."""
    if windows is not None:
        ours = torch.tensor([record['pred_relevant_windows'] for record in records])
        name = f'{prefix}out/post_windows'
        yield compare(f'{name} seconds', ours[..., :2], windows[..., :2], 1e-4, scaled=False)
        yield compare(f'{name} scores', ours[..., 2], windows[..., 2], SCORE_TOLERANCE, False)
    if saliency is not None:
        ours = torch.full(saliency.shape, torch.nan, dtype=torch.float64)
        for row, record in zip(ours, records):
            scores = record['pred_saliency_scores']
            row[: len(scores)] = torch.tensor(scores, dtype=torch.float64)
        # One unit of float16 where two float32 results fall on different sides of a tie.
        yield compare(f'{prefix}out/post_saliency', ours, saliency, 1e-3)


def check_padding(
    model: Grounder,
    batch: dict,
    prefix: str = 'padding/',
    tolerance: float = 2e-5,
    real: Callable[[GroundingState], Tensor] | None = None,
) -> Iterator[Row]:
    """Check that neither padding nor neighbours reach a sample.

    Every sample alone must predict what it predicts in the batch, and more padding full of noise
    must change neither a loss nor a gradient.

    Args:
        model: Without official quirks and without noise.
        batch: A collated batch with padding and targets.
        prefix: Of the names.
        tolerance: Largest difference, relative to the largest value.
        real: Which predicted moments ``(B, Q)`` belong to the video, where their number depends on
            the padding.
    """
    state, _ = predict(model, batch)
    for index in range(len(batch['video'])):
        alone, _ = predict(model, single(batch, index))
        clips = alone.saliency.shape[1] if alone.saliency is not None else 0
        name = f'{prefix}alone/{index}'
        if clips:
            ours = state.saliency[index, :clips]
            yield compare(f'{name}/saliency', ours, alone.saliency[0], tolerance)
        if alone.spans is not None:
            count = alone.spans.shape[1]
            mine = slice(count) if real is None else real(state)[index]
            theirs = slice(count) if real is None else real(alone)[0]
            ours = state.spans[index][mine]
            yield compare(f'{name}/spans', ours, alone.spans[0][theirs], tolerance)
            ours = state.span_scores[index][mine]
            yield compare(f'{name}/scores', ours, alone.span_scores[0][theirs], tolerance)
    yield from _check_wider(model, batch, prefix, tolerance)


def _check_wider(model: Grounder, batch: dict, prefix: str, tolerance: float) -> Iterator[Row]:
    """Compare losses and gradients with those of a batch with more padding.

    In double precision, because a gradient jumps where a rounding error carries an activation over
    its kink.
    """
    model.double()
    try:
        plain = train_step(model, in_double(batch))
        gradients = {
            name: parameter.grad.clone()
            for name, parameter in model.named_parameters()
            if parameter.grad is not None
        }
        wider = train_step(model, in_double(extend_padding(batch)))
    finally:
        model.float()
    for name, value in plain.losses.items():
        yield compare(f'{prefix}wider/{name}', wider.losses[name], value, tolerance)
    largest = max(value.abs().max().item() for value in gradients.values())
    worst = max(
        (parameter.grad.double() - gradients[name]).abs().max().item()
        for name, parameter in model.named_parameters()
        if name in gradients
    )
    yield Row(f'{prefix}wider/gradients', worst / largest, tolerance)


def in_double(batch: dict) -> dict:
    """The batch with all real numbers in double precision."""

    def cast(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: cast(item) for key, item in value.items()}
        if isinstance(value, Tensor) and value.is_floating_point():
            return value.double()
        return value

    return cast(batch)
