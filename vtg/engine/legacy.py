# SPDX-License-Identifier: Apache-2.0
"""Conversion of trusted checkpoints that hold Python objects."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vtg.utils import CheckpointError, atomic_write, check_output, check_replaceable

from .checkpoint import to_plain, unsafe_globals
from .pickled_arrays import is_pickle, read_arrays

_PLAIN = (str, bytes, int, float, complex, bool, type(None), torch.dtype, torch.Size)


def convert(source: str | Path, target: str | Path, trust: bool) -> list[str]:
    """Read a pickled checkpoint and write its tensors and plain values.

    Args:
        source: The file to read; **its code is executed**, except for that of a bare pickle (the
            ``.pkl`` of older model zoos), which may hold arrays and plain values only.
        target: The file to write, readable with ``weights_only=True``.
        trust: The caller's confirmation that ``source`` may be executed.

    Returns:
        The places of objects that have no plain form and were left out.

    Raises:
        CheckpointError: ``trust`` is False, or the file is unreadable.
        ConfigError: ``target`` exists.
    """
    source = Path(source)
    check_output(target, [source])
    check_replaceable(target, lambda path: False, 'known to be of this tool')
    if not source.is_file():
        raise CheckpointError(f'{source} does not exist; give the path of a checkpoint file.')
    if not trust:
        needs = ', '.join(unsafe_globals(source)) or 'no Python objects, as far as can be told'
        raise CheckpointError(
            f'{source} was not read: its content can run code (it uses {needs}); repeat the '
            'command with --trust if you trust where it comes from.'
        )
    try:
        if is_pickle(source):
            checkpoint = read_arrays(source)
        else:
            checkpoint = torch.load(source, map_location='cpu', weights_only=False)
        dropped: list[str] = []
        plain = _reduce(to_plain(checkpoint), '', dropped)
    except Exception as error:  # it is code of whoever wrote the file, or nested without end
        raise CheckpointError(f'{source} cannot be read ({error}).') from error
    with atomic_write(target) as temporary:
        torch.save(plain, temporary)
    return dropped


def _reduce(value: Any, place: str, dropped: list[str]) -> Any:
    """Keep tensors, plain values and containers of them; note everything else in ``dropped``."""
    if isinstance(value, Tensor):
        return value.detach()
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Namespace):
        value = to_plain(vars(value))
    if isinstance(value, Mapping):
        named = {
            key: _reduce(item, f'{place}.{key}' if place else str(key), dropped)
            for key, item in value.items()
        }
        return {key: item for key, item in named.items() if item is not _DROPPED}
    if isinstance(value, list | tuple | set | frozenset):
        items = [_reduce(item, f'{place}.{i}', dropped) for i, item in enumerate(value)]
        kept = [item for item in items if item is not _DROPPED]
        return tuple(kept) if isinstance(value, tuple) else kept
    dropped.append(f'{place or "the whole file"} ({type(value).__module__}.{type(value).__name__})')
    return _DROPPED


_DROPPED = object()
