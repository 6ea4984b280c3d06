# SPDX-License-Identifier: Apache-2.0
"""Values of a file as the types that they are meant to have."""

import math
from collections.abc import Mapping
from typing import Any, NoReturn

import torch
from torch import Tensor

from vtg.utils import CheckpointError, printable

# What a checkpoint may hold for a floating tensor; others are cast to the model's own.
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
LARGEST = 2**53  # the integers that a float holds exactly


class FieldReader:
    """Gives the fields of a checkpoint, or refuses it.

    Args:
        path: The file, for messages.

    Raises:
        CheckpointError: From every method, when the value is of another type or out of its range.
    """

    def __init__(self, path: Any) -> None:
        self.path = path

    def refuse(self, place: str, value: Any, expected: str) -> NoReturn:
        """Raise the error that says what stands at a place and what is expected there."""
        raise CheckpointError(
            f'{self.path} cannot be used: {printable(place[:80])} is {_shown(value)}, expected '
            f'{expected}; the file is damaged or was made by other code, take another checkpoint.'
        )

    def mapping(self, value: Any, place: str) -> Mapping[str, Any]:
        """A dict with names as keys."""
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            self.refuse(place, value, 'a dict with names as keys')
        return value

    def sequence(self, value: Any, place: str, length: int | None = None) -> list[Any]:
        """A list, of ``length`` entries if that is given."""
        if not isinstance(value, list | tuple) or length not in (None, len(value)):
            self.refuse(place, value, 'a list' if length is None else f'a list of {length}')
        return list(value)

    def whole(self, value: Any, place: str, largest: int = LARGEST) -> int:
        """A whole number from 0."""
        if type(value) is not int or not 0 <= value <= largest:
            self.refuse(place, value, f'a whole number from 0 to {largest}')
        return value

    def number(self, value: Any, place: str, smallest: float = -math.inf) -> float:
        """A finite number, not below ``smallest``."""
        if type(value) not in (int, float) or not smallest <= value < 1e300:
            self.refuse(place, value, 'a number' if smallest < 0 else 'a number from 0')
        return value

    def text(self, value: Any, place: str) -> str:
        """A text."""
        if not isinstance(value, str):
            self.refuse(place, value, 'a text')
        return value

    def like(self, value: Any, place: str, model: Any) -> Any:
        """A number, or as many of them as ``model`` has."""
        if not isinstance(model, list | tuple):
            return self.number(value, place, 0)
        items = self.sequence(value, place, len(model))
        return type(model)(self.number(item, place, 0) for item in items)

    def tensor(self, value: Any, place: str, model: Tensor) -> Tensor:
        """A tensor of the shape and kind of ``model``, with finite numbers."""
        fault = tensor_fault(value, model)
        if fault:
            self.refuse(place, value, fault)
        if ('sq' in place.rpartition('.')[2] or place.endswith('.step')) and (value < 0).any():
            self.refuse(place, value, 'no negative numbers')
        return value


def tensor_fault(value: Any, own: Tensor, finite: bool = True) -> str | None:
    """Return what was expected where ``value`` cannot be copied to ``own``, None where it can.

    Args:
        value: Anything. Tensors that are sparse, nested, quantized or without data cannot.
        own: The tensor that it stands for.
        finite: Whether NaN and infinite values are a fault, unless ``own`` holds such as well.
    """
    if not isinstance(value, Tensor):
        return 'a tensor'
    if value.is_nested or value.is_quantized or value.layout != torch.strided:
        return 'a dense tensor'
    if value.device.type == 'meta':
        return 'a tensor with data'
    if value.shape != own.shape:
        return f'the shape {tuple(own.shape)}'
    if value.dtype != own.dtype and not (value.dtype in FLOATS and own.dtype in FLOATS):
        return f'the type {str(own.dtype).removeprefix("torch.")}'
    # Cast first: a large number of a wider type becomes infinite in a narrower one.
    if finite and not value.to(own.dtype).isfinite().all() and own.isfinite().all():
        return 'finite numbers'
    return None


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        dtype = str(value.dtype).removeprefix('torch.')
        return 'a nested tensor' if value.is_nested else f'a {dtype} tensor of {tuple(value.shape)}'
    if isinstance(value, str):
        return f"'{printable(value[:40])}'"
    if value is None or type(value) in (bool, float) or (
        type(value) is int and abs(value) < LARGEST
    ):  # fmt: skip
        return 'missing' if value is None else repr(value)
    return f'of type {type(value).__name__}'
