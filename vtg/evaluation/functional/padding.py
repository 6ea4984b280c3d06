# SPDX-License-Identifier: Apache-2.0
"""Lists of unequal length as one padded array."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from vtg.utils import DataError, shown

_LISTS = (list, tuple, np.ndarray)
_NUMBERS = (int, float, np.integer, np.floating)


class RecordError(DataError):
    """A field of one record is wrong; who has read the record from a file can add where.

    Attributes:
        qid: The record. field: The field; those of predictions begin with ``pred_``.
        problem: What is wrong and what to do, to be read behind the name of the field.
    """

    def __init__(self, qid: Any, field: str, problem: str) -> None:
        super().__init__(f'qid {shown(qid)}: `{field}` {problem}')
        self.qid = qid
        self.field = field
        self.problem = problem


def flatten_rows(
    lists: Sequence[Any], qids: Sequence[Any], field: str, width: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Join one list per query into one array.

    Args:
        lists: One list per query: of numbers, or of rows with ``width`` numbers.
        qids: The id of every query, for error messages.
        field: The name of the field the lists come from, for error messages.
        width: Numbers per row; None for plain numbers.

    Returns:
        ``(N,)`` or ``(N, width)`` float64 and the entries per query ``(Q,)``.

    Raises:
        RecordError: An entry is not a list of the expected shape or holds a value that is not a
            finite number: no text and no truth value becomes one.
    """
    try:
        return _flatten(lists, width)
    except (TypeError, ValueError, OverflowError):
        raise _culprit(lists, qids, field, width) from None


def pad_rows(
    lists: Sequence[Any],
    qids: Sequence[Any],
    field: str,
    width: int | None = None,
    at_least: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Stack one list per query into a padded array; see :func:`flatten_rows`.

    Returns:
        ``(Q, K)`` or ``(Q, K, width)`` float64, zero on padding, and the mask ``(Q, K)``, True
        where an entry is real. K is the longest list, but no less than ``at_least``.
    """
    flat, lengths = flatten_rows(lists, qids, field, width)
    mask = np.arange(max(at_least, lengths.max(initial=0))) < lengths[:, None]  # (Q, K)
    padded = np.zeros((*mask.shape, *flat.shape[1:]))
    padded[mask] = flat
    return padded, mask


def pack_rows(records: Sequence[dict[str, Any]], field: str, width: int | None = None) -> None:
    """Put one array for all in the place of the lists of a field, in place: every record keeps a
    view, a tenth of the memory.

    Missing and empty lists stay, and so do all where one is wrong, so that what is said about it
    does not change.

    Args:
        records: Records of queries.
        field, width: See :func:`flatten_rows`.
    """
    given = [record for record in records if isinstance(record.get(field), list) and record[field]]
    try:
        flat, lengths = _flatten([record[field] for record in given], width)
    except (TypeError, ValueError, OverflowError):
        return
    stops = np.cumsum(lengths).tolist()
    for record, start, stop in zip(given, [0, *stops], stops):
        record[field] = flat[start:stop]


def parts(lengths: np.ndarray, most: int) -> Iterator[slice]:
    """Cut queries into consecutive parts of at most ``most`` padded entries, or of one query.

    One long video among many would else set the size of all.

    Args:
        lengths: ``(Q,)`` entries per query.
        most: Queries times longest query of a part.
    """
    start, longest = 0, 0
    for index, length in enumerate(lengths):
        longest = max(longest, int(length))
        if index > start and (index + 1 - start) * longest > most:
            yield slice(start, index)
            start, longest = index, int(length)
    if len(lengths):
        yield slice(start, len(lengths))


def _is_packed(values: Any, width: int | None) -> bool:
    """Whether this is an array as :func:`pack_rows` makes it."""
    shape = () if width is None else (width,)
    return (
        isinstance(values, np.ndarray) and values.dtype == np.float64 and values.shape[1:] == shape
    )


def _flatten(lists: Sequence[Any], width: int | None) -> tuple[np.ndarray, np.ndarray]:
    if not all(isinstance(values, _LISTS) for values in lists):
        raise TypeError
    lengths = np.fromiter(map(len, lists), np.int64, count=len(lists))
    if lists and all(_is_packed(values, width) for values in lists):
        flat = np.concatenate(lists)
        if not np.isfinite(flat).all():
            raise ValueError
        return flat, lengths
    numbers = list(chain.from_iterable(lists))
    if width is not None:
        if not all(isinstance(row, _LISTS) and len(row) == width for row in numbers):
            raise ValueError
        numbers = list(chain.from_iterable(numbers))
    kinds = set(map(type, numbers))
    if not all(issubclass(kind, _NUMBERS) and kind is not bool for kind in kinds):
        raise TypeError
    flat = np.array(numbers, np.float64)
    if not np.isfinite(flat).all():
        raise ValueError
    return flat if width is None else flat.reshape(-1, width), lengths


def _culprit(
    lists: Sequence[Any], qids: Sequence[Any], field: str, width: int | None
) -> RecordError:
    """Name the first query whose list cannot be joined, and its first wrong entry."""
    expected = 'finite numbers' if width is None else f'rows of {width} finite numbers'
    for qid, values in zip(qids, lists):
        if not isinstance(values, _LISTS):
            problem = f'is {shown(values)}; expected a list of {expected}, so correct this record.'
            return RecordError(qid, field, problem)
        for place, entry in enumerate(values, start=1):
            try:
                _flatten([[entry]], width)
            except (TypeError, ValueError, OverflowError):
                return RecordError(
                    qid,
                    field,
                    f'must be a list of {expected}, but entry {place} is {shown(entry)}; correct '
                    'this record.',
                )
    raise AssertionError('every list is well-formed')  # pragma: no cover
