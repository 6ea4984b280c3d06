# SPDX-License-Identifier: Apache-2.0
"""Comparison of the toolbox with stored reference values."""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vtg.utils import DataError


@dataclass(frozen=True)
class Row:
    """One compared quantity.

    Attributes:
        name: What was compared.
        error: Largest error, in the measure of the tolerance; None where nothing was compared.
        tolerance: Largest error allowed.
        note: Why a quantity was skipped, or what went wrong.
    """

    name: str
    error: float | None
    tolerance: float | None = None
    note: str = ''

    @property
    def skipped(self) -> bool:
        """Whether nothing was compared."""
        return self.error is None

    @property
    def failed(self) -> bool:
        """Whether the error is too large; NaN is."""
        return not self.skipped and not self.error <= self.tolerance


def _array(value: Any) -> np.ndarray:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = value.float() if value.dtype == torch.bfloat16 else value
    return np.asarray(value)


def compare(name: str, ours: Any, theirs: Any, tolerance: float, scaled: bool = True) -> Row:
    """Compare arrays of equal shape.

    Args:
        name: Of the quantity.
        ours: Computed here.
        theirs: Stored.
        tolerance: Largest difference allowed.
        scaled: Divide the difference by ``max(1, largest absolute stored value)``.
    """
    ours, theirs = _array(ours).astype(np.float64), _array(theirs).astype(np.float64)
    if ours.shape != theirs.shape:
        note = f'shape {ours.shape}, stored {theirs.shape}'
        return Row(name, float('inf'), tolerance, note)
    if ours.size == 0:
        return Row(name, 0.0, tolerance)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid='ignore'):
        difference = np.where(same, 0.0, np.abs(ours - theirs)).max()
    finite = np.abs(theirs[np.isfinite(theirs)])
    scale = max(1.0, finite.max()) if scaled and finite.size else 1.0
    return Row(name, float(difference / scale), tolerance)


def compare_relative(name: str, ours: Any, theirs: Any, tolerance: float) -> Row:
    """Compare two numbers relative to the stored one."""
    ours, theirs = float(ours), float(theirs)
    return Row(name, abs(ours - theirs) / max(abs(theirs), 1e-8), tolerance)


def compare_exact(name: str, ours: Any, theirs: Any) -> Row:
    """Compare integers, booleans, strings or nested dicts; the error is 0 or 1."""
    if isinstance(ours, Tensor | np.ndarray) or isinstance(theirs, np.ndarray):
        equal = np.array_equal(_array(ours), _array(theirs))
    else:
        equal = ours == theirs
    return Row(name, 0.0 if equal else 1.0, 0.0)


def largest(name: str, rows: Iterable[Row]) -> Row:
    """Join comparisons of one quantity into the row with the largest error, under a new name.

    A failed comparison comes before all others, whatever its error; its own name goes into the
    note. Without any comparison the result is a skipped row.
    """
    rows = list(rows)
    compared = [row for row in rows if not row.skipped]
    if not compared:
        return Row(name, None, note=rows[0].note if rows else 'nothing to compare')
    failed = [row for row in compared if row.failed]
    if failed:
        worst, note = failed[0], ', '.join(row.name for row in failed[:3])
        note = f'{len(failed)} of {len(compared)} fail: {note} {worst.note}'.rstrip()
        return Row(name, worst.error, worst.tolerance, note)
    worst = max(compared, key=lambda row: (row.error, row.tolerance))
    return Row(name, worst.error, worst.tolerance)


class ReferenceSet(Mapping[str, Tensor]):
    """A stored set: arrays of ``<name>.npz`` as tensors and the facts of ``<name>.json``.

    Args:
        folder: Where the set lies.
        name: File name without suffix.

    Raises:
        DataError: A file is missing.
    """

    def __init__(self, folder: str | Path, name: str) -> None:
        path = Path(folder) / f'{name}.json'
        if not path.is_file():
            raise DataError(f'{path} does not exist; expected the description of a reference set.')
        self.name = name
        self.info: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
        arrays = path.with_suffix('.npz')
        self.arrays: dict[str, np.ndarray] = {}
        if arrays.is_file():
            with np.load(arrays) as file:
                self.arrays = {key: file[key] for key in file.files}

    def __getitem__(self, key: str) -> Tensor:
        return torch.from_numpy(np.asarray(self.arrays[key]))

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def described_by(self, info: dict[str, Any]) -> 'ReferenceSet':
        """The same arrays with another description."""
        other = copy.copy(self)
        other.info = info
        return other

    def fact(self, path: str) -> Any:
        """A value of the description by its path, e.g. ``'config.enc_layers'``, or None."""
        value: Any = self.info
        for name in path.split('.'):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def below(self, prefix: str) -> dict[str, Tensor]:
        """Return the arrays whose key starts with ``prefix``, by the rest of the key."""
        return {key[len(prefix) :]: self[key] for key in self if key.startswith(prefix)}
