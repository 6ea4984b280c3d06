# SPDX-License-Identifier: Apache-2.0
"""Batches in pieces: one behind another, apart again, some samples of them.

A value is a tensor with the samples as first axis, or dataclasses, dicts, lists and tuples that
hold such tensors at any depth. Fields declared with ``field(metadata=SHARED)`` are equal for all
samples and stay as they are, and so does everything that is no tensor.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar('T')

# Declares a field of a dataclass that has no axis of samples.
SHARED = {'shared': True}


def per_sample(change: Callable[..., Tensor], value: T, *others: Any) -> T:
    """Return ``value`` with ``change(tensor, *others)`` in the place of every tensor with samples.

    Args:
        change: Takes the tensor of ``value`` and those in the same place of the others.
        value: See the module.
        others: Values of the same structure.
    """
    result: Any = value
    if isinstance(value, Tensor):
        result = change(value, *others)
    elif is_dataclass(value) and not isinstance(value, type):
        names = [item.name for item in fields(value) if not item.metadata.get('shared')]
        parts = ((name, *(getattr(each, name) for each in (value, *others))) for name in names)
        result = replace(value, **{name: per_sample(change, *part) for name, *part in parts})
    elif isinstance(value, dict):
        keys = value.keys()
        result = {k: per_sample(change, value[k], *(each[k] for each in others)) for k in keys}
    elif isinstance(value, list | tuple):
        result = type(value)(per_sample(change, *part) for part in zip(value, *others))
    return result


def joined(first: T, second: T) -> T:
    """One batch of both, the first in front."""
    return per_sample(lambda a, b: torch.cat((a, b)), first, second)


def separated(value: T, size: int) -> tuple[T, T]:
    """The first ``size`` samples, and the rest; the inverse of :func:`joined`."""
    behind: list[Tensor] = []

    def cut(tensor: Tensor) -> Tensor:
        front, back = tensor.split((size, len(tensor) - size))
        behind.append(back)
        return front

    first = per_sample(cut, value)
    rest = iter(behind)
    return first, per_sample(lambda _: next(rest), value)


def chosen(value: T, rows: Tensor) -> T:
    """The samples ``rows (R,)``."""
    return per_sample(lambda tensor: tensor[rows], value)


def spread(value: T, rows: Tensor, size: int) -> T:
    """A batch of ``size`` samples with those of ``value`` at ``rows``, zeros elsewhere."""

    def put(tensor: Tensor) -> Tensor:
        return tensor.new_zeros(size, *tensor.shape[1:]).index_copy(0, rows, tensor)

    return per_sample(put, value)
