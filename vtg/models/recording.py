# SPDX-License-Identifier: Apache-2.0
"""Runs of a model in which all that components return is recorded, and how two of them differ."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vtg.structures import FeaturePyramid, MomentList

from .base import Component
from .grounder import Grounder

# Rows of one run and of another: ``(one, i, other, j)``; None for what belongs to the batch.
Pair = tuple['Recorded', int | None, 'Recorded', int | None]


@dataclass
class Recorded:
    """What happened in a run.

    Attributes:
        model: The copy that ran, with its gradients.
        calls: Every component or loss that ran, in order, by its full name, with what it returned;
            behind them the moments in seconds, by the name of whoever made or revised them.
        changed: Who changed in place what it was given.
    """

    model: Grounder
    calls: list[tuple[str, Any]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def losses(self) -> 'Recorded':
        """The same with the losses alone."""
        return Recorded(self.model, [(n, value) for n, value in self.calls if _is_loss(value)])

    def first(self, names: Sequence[str]) -> 'Recorded':
        """The same with the first call of these components alone."""
        return Recorded(self.model, [(n, v) for n, v in dict(reversed(self.calls)).items()
                                     if n in names][::-1])  # fmt: skip


def components_of(model: nn.Module) -> dict[str, Component]:
    """All components and losses of a model by their full names."""
    return {name: part for name, part in model.named_modules() if isinstance(part, Component)}


@torch.no_grad()
def predict(model: Grounder, batch: Mapping[str, Any], seed: int = 0) -> Recorded:
    """Record what a copy of a model, in evaluation, says about a batch."""
    with _recording(model, seed, False) as run:
        state = run.model(**run.model.data_preprocessor(batch), mode='tensor')
        run.calls.append(('saliency_head', {'saliency': state.saliency}))
        lists = {}
        for name, component in run.model.slots.items():
            run.calls.append((name, {'existence': component.existence(state)}))
        if 'moment_head' in run.model.slots:
            lists = run.model.slots['moment_head'].predict(state)
            run.calls.append(('moment_head', lists))
            for name, component in run.model.slots.items():
                lists = component.revise(state, lists)
                run.calls.append((name, lists))
    return run


def step(
    model: Grounder, batch: Mapping[str, Any], train: bool = True, backward: bool = False
) -> Recorded:
    """Record a training step of a copy of a model, without the optimizer.

    Args:
        model: On the CPU.
        batch: With targets.
        train: Dropout and whatever else happens in training alone.
        backward: Compute gradients as well.
    """
    with _recording(model, 0, train) as run:
        for name, component in run.model.slots.items():
            setattr(component, 'loss', _recorded_loss(run, name, component))  # noqa: B010
        total, _ = run.model.parse_losses(
            run.model(**run.model.data_preprocessor(batch, True), mode='loss')
        )
        if backward:
            total.backward()
    return run


def largest_difference(
    pairs: Sequence[Pair], tolerance: float, sizes: Sequence[int] = ()
) -> tuple[float, str, str]:
    """Return the largest difference between runs, and the component and field where it begins.

    Differences are relative to the largest value of a field where that exceeds 1.

    Args:
        pairs: See :data:`Pair`.
        tolerance: What counts as a difference.
        sizes: Padded lengths; axes of the first run that are so long may be longer than in the
            other, which then has the same beginning.
    """
    largest, first = 0.0, (0, '', '')
    for one, i, other, j in pairs:
        for index, ((name, ours), (again, theirs)) in enumerate(zip(one.calls, other.calls)):
            if name != again:
                return torch.inf, name, 'the order of the stages'
            for key, value in _differences('result', ours, i, theirs, j, sizes):
                largest = max(largest, value)
                if value > tolerance and (not first[1] or index < first[0]):
                    first = (index, name, key)
    return largest, first[1], first[2]


def is_finite(value: Any) -> bool:
    """Whether all numbers that something holds are finite; minus infinity is what masks write."""
    return all(
        bool((tensor < torch.inf).all()) for tensor in _tensors(value) if tensor.is_floating_point()
    )


def _is_loss(value: Any) -> bool:
    return isinstance(value, Tensor) or (
        isinstance(value, Mapping) and bool(value) and all('loss' in key for key in value)
    )


def _recorded_loss(run: Recorded, name: str, component: Component) -> Any:
    compute = component.loss

    def loss(state: Any) -> dict[str, Tensor]:
        terms = compute(state)
        run.calls.append((name, terms))
        return terms

    return loss


@contextmanager
def _recording(model: Grounder, seed: int, train: bool) -> Iterator[Recorded]:
    run = Recorded(copy.deepcopy(model).train(train))
    given: dict[str, list[tuple[Tensor, int]]] = {}

    def watch(name: str, component: Component) -> None:
        def before(_module: Any, inputs: Any) -> None:
            given[name] = [(tensor, tensor._version) for tensor in _tensors(inputs)]

        def behind(_module: Any, _inputs: Any, made: Any) -> None:
            if any(tensor._version != version for tensor, version in given[name]):
                run.changed.append(name)
            run.calls.append((name, made))

        component.register_forward_pre_hook(before)
        component.register_forward_hook(behind)

    for name, component in components_of(run.model).items():
        watch(name, component)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        yield run


def _tensors(value: Any) -> Iterator[Tensor]:
    """All tensors in what a component gets and returns."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
    elif is_dataclass(value):
        yield from _tensors([getattr(value, item.name) for item in fields(value)])


def _differences(
    key: str, ours: Any, i: int | None, theirs: Any, j: int | None, sizes: Sequence[int]
) -> Iterator[tuple[str, float]]:
    """Yield the place and the size of every difference that can be looked at."""
    if isinstance(ours, Mapping):
        # What a head keeps for itself has no common form; its losses and moments are compared.
        for name in ours.keys() - {'moment_outputs'}:
            yield from _differences(name, ours[name], i, theirs.get(name), j, sizes)
    elif ours is None or theirs is None:
        yield key, 0.0 if ours is theirs else torch.inf
    elif isinstance(ours, MomentList):
        yield key, _apart(_rows(ours, i), _rows(theirs, j))
    elif isinstance(ours, FeaturePyramid):
        for level, mask in enumerate(ours.masks):
            one = ours.features[level][i][mask[i]]
            two = theirs.features[level][j][theirs.masks[level][j]]
            yield key, _difference(one, two) if one.shape == two.shape else torch.inf
    elif is_dataclass(ours):
        for item in fields(ours):
            if not item.metadata.get('shared'):
                values = (getattr(ours, item.name), i, getattr(theirs, item.name), j)
                yield from _differences(key, *values, sizes)
    elif isinstance(ours, Tensor) and ours.is_floating_point():
        one, two = (ours, theirs) if i is None else (ours[i], theirs[j])
        if one.ndim == two.ndim:
            shape = [b if a in sizes else a for a, b in zip(one.shape, two.shape)]
            if [*two.shape] == shape:
                yield key, _difference(one[tuple(map(slice, shape))], two)


def _rows(moments: MomentList, i: int | None) -> Tensor:
    """Start, end and score of the moments of a sample."""
    rows = torch.cat((moments.spans, moments.scores.unsqueeze(-1)), dim=-1)
    return rows[i][moments.mask[i]]


def _apart(one: Tensor, two: Tensor) -> float:
    """How far a moment of one list is from the nearest of the other: equal scores leave the order
    open."""
    if not len(one) or not len(two):
        return 0.0 if len(one) == len(two) else torch.inf
    scale = max(1.0, float(one.abs().max()))
    distance = torch.cdist(one, two, p=torch.inf)
    apart = torch.maximum(distance.amin(dim=0).max(), distance.amin(dim=1).max())
    return float(apart.nan_to_num(torch.inf)) / scale


def _difference(one: Tensor, two: Tensor) -> float:
    if not one.numel():
        return 0.0
    difference = torch.where(one == two, 0.0, (one - two).abs().nan_to_num(torch.inf))
    scale = one[one.isfinite()].abs().max() if one.isfinite().any() else one.new_ones(())
    return float((difference.max() / scale.clamp(min=1)).detach())
