# SPDX-License-Identifier: Apache-2.0
"""What the comparisons of all systems share: inputs, inference, training steps, gradients."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from mmengine import Config
from torch import Tensor, nn

from vtg.conversion import CONVERSIONS, convert_state_dict
from vtg.evaluation.records import to_records
from vtg.models import Grounder
from vtg.models.layers import DropPath
from vtg.registry import MODELS
from vtg.structures import GroundingState, GroundingTargets

from .batches import extend_padding, in_double, single
from .core import ReferenceSet, Row, compare, compare_exact, compare_relative

OUTPUT_TOLERANCE = 1e-5
LOSS_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 1e-3
# Reported scores are rounded to four decimals on both sides.
SCORE_TOLERANCE = 1.01e-4
DROP = object()
# Names under which the norm over all parameters is stored.
EVERYTHING = ('__all__', '_total', 'ALL', 'total_norm')


def copy_config(model: dict) -> Any:
    """A deep copy of a model config that can be changed by attributes."""
    return Config({'model': copy.deepcopy(model)}).model


def set_options(cfg: Any, options: Mapping[str, Any]) -> Any:
    """Set options of a config in place, by their path, e.g. ``'fusion.losses.*.weight'``.

    ``*`` stands for every dict below; a name with ``?`` may be absent. The value :data:`DROP`
    leaves an option to its default, a function makes the new value from the old one.
    """

    def descend(node: Any, path: list[str], value: Any) -> None:
        name, rest = path[0], path[1:]
        if name == '*':
            for child in node.values():
                if isinstance(child, dict):
                    descend(child, rest, value)
            return
        name, optional = name.removesuffix('?'), name.endswith('?')
        if optional and node.get(name) is None:
            return
        if rest:
            node.setdefault(name, {})
            descend(node[name], rest, value)
        elif value is DROP:
            node.pop(name, None)
        else:
            node[name] = value(node.get(name)) if callable(value) else copy.deepcopy(value)

    for path, value in options.items():
        descend(cfg, path.split('.'), value)
    return cfg


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
        return state, to_records(model.predict(state, arguments['meta']))


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
        audio_features=arguments.get('audio'),
        targets=targets,
        progress=model.progress,
    )
    matches: list[Tensor] = []
    heads = [module for module in model.modules() if callable(getattr(module, 'matcher', None))]
    matchers = [head.matcher for head in heads]

    def recording(matcher: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def match(*args: Any) -> Tensor:
            matches.append(matcher(*args))
            return matches[-1]

        return match

    for head, matcher in zip(heads, matchers):
        head.matcher = recording(matcher)
    try:
        state = model.run_training(state)
        step = Step(state, model.losses(state), matches)
    finally:
        for head, matcher in zip(heads, matchers):
            head.matcher = matcher
    step.total.backward()
    return step


def gradient_norms(model: Grounder) -> Callable[[set[str]], float]:
    """A function that gives the L2 norm of the gradients of the named parameters; those without a
    gradient count as 0, and those with several names once."""
    named = dict(model.named_parameters(remove_duplicate=False))
    squares = {
        parameter: 0.0 if parameter.grad is None else parameter.grad.double().square().sum().item()
        for parameter in named.values()
    }

    def norm(names: set[str]) -> float:
        chosen = {named[name] for name in names if name in named}
        return sum(squares[parameter] for parameter in chosen) ** 0.5

    return norm


def check_gradients(
    model: Grounder,
    system: str,
    data: ReferenceSet,
    folder: str,
    skipped: str | None = None,
    small: float = 0.0,
    alias: Callable[[str], str] = str,
) -> Iterator[Row]:
    """Compare the gradient norm of every module whose norm is stored in ``folder``.

    The parameters of a module are found through the conversion of its keys.

    Args:
        model: After a training step.
        system: Whose conversion.
        data: The set.
        folder: Of the norms, e.g. ``'nopad/grad/'``.
        skipped: Why nothing is compared.
        small: Norms up to this are noise around zero and compared absolutely.
        alias: The name of a module in the weights by that in the folder; '' for no module.
    """
    rename, norm = CONVERSIONS[system].rename, gradient_norms(model)
    keys = list(data.below('sd/'))
    plain = {key: re.sub(r'\.\d+(?=\.)', '', key) for key in keys}
    for module, stored in data.below(folder).items():
        name = f'{folder}{module}'
        if stored.dim():
            continue
        if skipped is not None:
            yield Row(name, None, note=skipped)
            continue
        part = alias(module.removeprefix('module/'))
        if not part:
            continue
        stored = stored.clamp(min=0)  # -1 stands for no gradient at all
        every = part in EVERYTHING
        inside = [key for key in keys if every or key == part or key.startswith(f'{part}.')]
        # Layers that are numbered without a dot.
        inside = inside or [key for key in keys if re.match(rf'{re.escape(part)}\d+\.', key)]
        # Some names leave the numbers of lists out.
        inside = inside or [key for key in keys if plain[key].startswith(f'{part}.')]
        names = {rename(key) or '' for key in inside}
        # Parts that the conversion joins are renamed to '<parameter>.<part>'.
        names |= {name.rpartition('.')[0] for name in names}
        ours, stored = norm(names), stored.clamp(min=0)  # -1 where there is none
        if float(stored) <= small:
            yield compare(name, torch.tensor(ours), stored, max(small, 1e-8))
        else:
            yield compare_relative(name, ours, stored, GRADIENT_TOLERANCE)


def check_matches(name: str, ours: Tensor, theirs: Tensor) -> Row:
    """Compare matches ``(B, G)``, the query of every moment or -1, with stored rows ``(N, 3)`` of
    sample, query and moment, in any order; there may be none."""
    rows = [(b, q, g) for b, row in enumerate(ours.tolist()) for g, q in enumerate(row) if q >= 0]
    return compare_exact(name, sorted(rows), sorted(map(tuple, theirs.reshape(-1, 3).tolist())))


def class_error(logits: Tensor, matches: Tensor) -> Tensor:
    """The share of matched queries that are taken for background, in per cent; 100 without any.

    Args:
        logits: ``(B, Q, 2)`` foreground first.
        matches: ``(B, G)`` query of every moment, or -1.
    """
    foreground = (logits.argmax(dim=-1) == 0).gather(1, matches.clamp(min=0))[matches >= 0]
    return 100 - 100 * foreground.double().sum() / max(len(foreground), 1)


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
        start = copy.deepcopy(model.state_dict())
        plain = train_step(model, in_double(batch))
        gradients = {
            name: parameter.grad.clone()
            for name, parameter in model.named_parameters()
            if parameter.grad is not None
        }
        model.load_state_dict(start)  # a step may change a memory or statistics
        wider = train_step(model, in_double(extend_padding(batch)))
    finally:
        model.float()
    for name, value in plain.losses.items():
        yield compare(f'{prefix}wider/{name}', wider.losses[name], value, tolerance)
    largest = max((value.abs().max().item() for value in gradients.values()), default=1.0)
    differences = (
        (parameter.grad.double() - gradients[name]).abs().max().item()
        for name, parameter in model.named_parameters()
        if name in gradients
    )
    worst = max(differences, default=0.0)
    yield Row(f'{prefix}wider/gradients', worst / max(largest, 1e-12), tolerance)
