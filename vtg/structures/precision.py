# SPDX-License-Identifier: Apache-2.0
"""Where half precision is not enough: one cast for tensors and everything that holds them.

Under autocast most tensors between layers are float16 or bfloat16. The largest float16 is 65504 and
the smallest above 0 is 6e-8, so sums, exponentials, divisors and the constants of masks leave its
range. What is sensitive to that is computed in float32; in float32 nothing here has any effect.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar('T')
R = TypeVar('R')

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


def full_precision(work: Callable[[T], R], value: T, device: torch.device) -> R:
    """Leave autocast: ``work(in_float32(value))``; ``work(value)`` where it is off or unknown."""
    kind = device.type
    if not (torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)):
        return work(value)
    with torch.autocast(kind, enabled=False):
        return work(in_float32(value))
