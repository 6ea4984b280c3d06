# SPDX-License-Identifier: Apache-2.0
"""Which cases of a matrix of systems run by default, and which with ``--all-systems`` alone."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def first(always: Sequence[Any], every: Iterable[Any]) -> list[Any]:
    """The cases of a test: some in every run, the others with ``--all-systems``."""
    more = pytest.mark.all_systems
    return [
        case if case in always
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=more)
        for case in every
    ]  # fmt: skip


def some_of(systems: Sequence[str], index: int, share: int = 3, least: int = 5) -> Sequence[str]:
    """Every third of the systems, closer together where that is less than five. At which the count
    begins depends on ``index``, so that other indices reach the others."""
    step = max(1, min(share, len(systems) // least))
    return systems[index % step :: step]
