# SPDX-License-Identifier: Apache-2.0
"""What counts as a number in a file or a config, when times are equal, and how numbers spread."""

import math
import statistics
from collections.abc import Sequence
from typing import Any, TypeGuard

from .errors import ConfigError
from .text import shown

TOLERANCE = 1e-3
"""Seconds; times that differ by no more are equal, so that rounding decides nothing."""

# Above the rounding of the times themselves: 20.001 s is no later than 20 s.
_ROUNDING = 1e-9
_SHORTEST_CLIP, _LONGEST_CLIP = 1e-3, 1e5


def is_number(value: Any, low: float = -math.inf, high: float = math.inf) -> TypeGuard[float]:
    """Whether a value is a finite int or float, no bool, from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        number = float(value)
    except OverflowError:
        return False
    return math.isfinite(number) and low <= value <= high


def is_integer(value: Any, low: float = -math.inf, high: float = math.inf) -> TypeGuard[int]:
    """Whether a value is an int, no bool, from ``low`` to ``high``."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def exceeds(time: Any, limit: Any) -> Any:
    """Whether a time in seconds is later than another by more than :data:`TOLERANCE`.

    Numbers give a bool, arrays an array.
    """
    return time - limit > TOLERANCE + _ROUNDING


def mean_and_deviation(numbers: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean and sample standard deviation; None where there are too few numbers."""
    mean = statistics.fmean(numbers) if numbers else None
    return mean, statistics.stdev(numbers) if len(numbers) > 1 else None


def check_clip_length(value: Any, what: str = 'clip_length') -> float:
    """Return the seconds per clip.

    Raises:
        ConfigError: It is no number from 0.001 to 100,000.
    """
    if not is_number(value, _SHORTEST_CLIP, _LONGEST_CLIP):
        raise ConfigError(
            f'{what} is {shown(value)}; expected seconds per clip, from {_SHORTEST_CLIP:g} to '
            f'{_LONGEST_CLIP:,.0f}.'
        )
    return float(value)
