# SPDX-License-Identifier: Apache-2.0
"""Lists of unequal length as one padded array."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from vtg.utils import DataError


def pad_rows(
    lists: Sequence[Sequence[Any]], qids: Sequence[Any], field: str, width: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Stack one list per query into a padded array.

    Args:
        lists: One list per query: of numbers, or of rows with ``width`` numbers.
        qids: The id of every query, for error messages.
        field: The name of the field the lists come from, for error messages.
        width: Numbers per row; None for plain numbers.

    Returns:
        ``(Q, K)`` or ``(Q, K, width)`` float64, zero on padding, and the mask ``(Q, K)``, True
        where an entry is real. K is the longest list, at least 1.

    Raises:
        DataError: An entry is not a list of the expected shape or holds a value that is not a
            finite number; the message names the query.
    """
    tail = () if width is None else (width,)
    try:
        lengths = np.fromiter(map(len, lists), np.int64, count=len(lists))
        flat = np.array(list(chain.from_iterable(lists)), np.float64)
        flat = flat.reshape(-1, *tail) if flat.size == 0 else flat
        well_formed = flat.shape == (lengths.sum(), *tail) and np.isfinite(flat).all()
    except (TypeError, ValueError):
        well_formed = False
    if not well_formed:
        _raise_for_culprit(lists, qids, field, width)
    mask = np.arange(max(1, lengths.max(initial=0))) < lengths[:, None]  # (Q, K)
    padded = np.zeros((*mask.shape, *tail))
    padded[mask] = flat
    return padded, mask


def _raise_for_culprit(
    lists: Sequence[Any], qids: Sequence[Any], field: str, width: int | None
) -> None:
    """Name the first query whose list cannot be stacked."""
    expected = 'finite numbers' if width is None else f'rows of {width} finite numbers'
    tail = () if width is None else (width,)
    for qid, values in zip(qids, lists):
        try:
            array = np.array(values, np.float64)
            fits = array.ndim > 0 and bool(np.isfinite(array).all())
            fits = fits and (len(array) == 0 or array.shape[1:] == tail)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise DataError(
                f'qid {qid!r}: `{field}` must be a list of {expected}, got {str(values)[:80]}; '
                'correct this record.'
            )
    raise DataError(f'`{field}` must hold a list of {expected} for every query.')
