# SPDX-License-Identifier: Apache-2.0
"""Renaming of the parameters of published checkpoints."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from torch import Tensor

from vtg.utils import CheckpointError

StateDict = dict[str, Tensor]
# A pattern for a whole key, and its replacement or a function that makes it from the match.
Rename = tuple[str, str | Callable[[re.Match], str]]


@dataclass(frozen=True)
class Conversion:
    """How the checkpoint of one published system maps to the toolbox.

    Attributes:
        renames: ``(pattern, replacement)`` pairs; the first whose pattern matches a whole key
            renames it. The replacement may be a function of the match.
        dropped: Patterns of keys that the system stores and never uses.
        finish: Changes tensors after renaming, e.g. stacks parts into one parameter.
    """

    renames: tuple[Rename, ...]
    dropped: tuple[str, ...] = ()
    finish: Callable[[StateDict], StateDict] = field(default=lambda state: state)

    def __call__(self, state: StateDict) -> StateDict:
        """Convert a state dict with published keys.

        Raises:
            CheckpointError: A key has no rule or two keys get the same name.
        """
        converted: StateDict = {}
        unknown = []
        for key, value in state.items():
            if any(re.fullmatch(pattern, key) for pattern in self.dropped):
                continue
            name = self.rename(key)
            if name is None:
                unknown.append(key)
            elif name in converted:
                raise CheckpointError(
                    f'two keys of the checkpoint become {name!r}; one is {key!r}.'
                )
            else:
                converted[name] = value
        if unknown:
            shown = ', '.join(unknown[:8]) + (', ...' if len(unknown) > 8 else '')
            raise CheckpointError(
                f'{len(unknown)} keys of the checkpoint have no place in the toolbox: {shown}; '
                'check that it is a checkpoint of the named system.'
            )
        return self.finish(converted)

    def rename(self, key: str) -> str | None:
        """Return the name of a published key here, before ``finish``; None without a rule."""
        return _renamed(self.renames, key)


@lru_cache(maxsize=10_000)
def _renamed(renames: tuple[Rename, ...], key: str) -> str | None:
    for pattern, replacement in renames:
        match = re.fullmatch(pattern, key)
        if match:
            return replacement(match) if callable(replacement) else match.expand(replacement)
    return None
