# SPDX-License-Identifier: Apache-2.0
"""Where half precision is not enough: one cast for tensors and everything that holds them.

Under autocast most tensors between layers are float16 or bfloat16. The largest float16 is 65504 and
the smallest above 0 is 6e-8, so sums, exponentials, divisors and the constants of masks leave its
range. What is sensitive to that is computed in float32; in float32 nothing here has any effect.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar('T')

HALF = (torch.float16, torch.bfloat16)


def in_float32(value: T) -> T:
    """Cast half-precision tensors to float32.

    Args:
        value: A tensor, or dataclasses, dicts, lists and tuples that hold tensors at any depth.

    Returns:
        The same with float32 in place of float16 and bfloat16; everything else is kept as it is.
    """
    result: Any = value
    if isinstance(value, Tensor):
        result = value.float() if value.dtype in HALF else value
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: in_float32(getattr(value, field.name)) for field in fields(value)}
        result = replace(value, **parts)
    elif isinstance(value, dict):
        result = {key: in_float32(item) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        result = type(value)(in_float32(item) for item in value)
    return result


@contextmanager
def full_precision(value: T, device: torch.device) -> Iterator[T]:
    """Leave autocast: ``with full_precision(state, device) as state``.

    Yields:
        :func:`in_float32` of ``value``; ``value`` itself where autocast is off or unknown.
    """
    kind = device.type
    if not (torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)):
        yield value
        return
    with torch.autocast(kind, enabled=False):
        yield in_float32(value)
