# SPDX-License-Identifier: Apache-2.0
"""The contract between a dataset and where its features come from."""

import string
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import Any

import numpy as np

from vtg.utils import ConfigError, DataError, file_name


class FeatureStore:
    """Gives the feature array of a record.

    Args:
        pattern: The name under which the features of a record are stored, with fields of the record
            in braces: ``'{vid}'`` for videos, ``'qid{qid}'`` for the queries of QVHighlights.
        dim: Expected width of the features; None accepts any.
        features_from: Where the features can be had, quoted when they are missing.
        row_shape: Axes of a clip or token in front of the width, e.g. ``(4, 50)`` for 50 patches of
            four layers of a backbone; a row is a plain vector where there are none.

    Attributes:
        pooled: It gives the one vector that an encoder makes of a whole sentence.
    """

    row_shape: tuple[int, ...] = ()
    pooled: bool = False

    def __init__(
        self,
        pattern: str = '{vid}',
        dim: int | None = None,
        features_from: str | None = None,
        row_shape: Sequence[int] = (),
    ) -> None:
        self.pattern = pattern
        self.dim = dim
        self.row_shape = tuple(row_shape)
        self.features_from = features_from

    def name_of(self, record: dict[str, Any]) -> str:
        """Return the stored name of the features of ``record``.

        A record with a ``text_key`` has a new qid; the old one names its features.

        Raises:
            ConfigError: The pattern is wrong, or uses a field that the record lacks.
            DataError: A value cannot be part of the name of a file.
        """
        if 'text_key' in record:
            record = {**record, 'qid': record['text_key']}
        for field in pattern_fields(self.pattern):
            if field not in record:
                raise ConfigError(
                    f'the pattern {self.pattern!r} of {type(self).__name__} uses {field!r}, which '
                    f'the annotation lacks; available fields: {", ".join(map(str, record))}.'
                )
            file_name(record[field], f'annotation of the features, field {field}')
        return self.pattern.format(**record)

    def absent(self) -> str | None:
        """Say what is expected where, if the store as a whole is missing; None if it is there.

        Several missing things are one line each.
        """
        return None

    def prepare(self, records: Sequence[dict[str, Any]], clip_length: float) -> None:
        """Learn which records will be read; called once, before any :meth:`read`.

        Most stores have nothing to learn: they find every record on its own.
        """

    def missing(self, records: Sequence[dict[str, Any]]) -> list[int]:
        """Return the positions of the records without stored features."""
        return []

    def read(self, record: dict[str, Any]) -> np.ndarray:
        """Return the features ``(L, *row_shape, D)`` of ``record`` as float32.

        Raises:
            DataError: The features are missing, unreadable, empty, of another width or not finite.
        """
        raise NotImplementedError

    def read_part(self, record: dict[str, Any], part: slice) -> np.ndarray:
        """Return some rows of :meth:`read`; a store that can leaves the others unread."""
        return self.read(record)[part]

    def inspect(self, record: dict[str, Any]) -> tuple[np.ndarray, str]:
        """Return what :meth:`read` does and the type in which the features are stored."""
        features = self.read(record)
        return features, str(features.dtype)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(pattern={self.pattern!r}, dim={self.dim})'


@lru_cache
def pattern_fields(pattern: str) -> tuple[str, ...]:
    """Return the fields of records that a pattern of names uses.

    Raises:
        ConfigError: The pattern is no text with field names in braces, or leads out of the folder.
    """
    try:
        parts = list(string.Formatter().parse(pattern))
    except (TypeError, ValueError):
        parts = [('', '', None, None)]
    place = PurePath(pattern) if isinstance(pattern, str) else PurePath()
    if place.is_absolute() or '..' in place.parts or not place.name.strip():
        parts = [('', '', None, None)]
    fields = tuple(field for _, field, _, _ in parts if field is not None)
    if (
        any(spec or conversion for _, _, spec, conversion in parts)
        or not all(map(str.isidentifier, fields))
        or not pattern.isprintable()
    ):
        raise ConfigError(
            f"the pattern {pattern!r} is no name with fields in braces; write e.g. 'qid{{qid}}'."
        )
    return fields


def check_features(
    features: np.ndarray, name: str, dim: int | None, row_shape: Sequence[int] = ()
) -> np.ndarray:
    """Check one array and return it as contiguous float32 ``(L, *row_shape, D)``; an axis of length
    1 in front of these is lost.

    Other arrays are refused: only their author knows which axis holds the rows.

    Raises:
        DataError: See :meth:`FeatureStore.read`.
    """
    if features.dtype.kind not in 'fiu':
        raise DataError(
            f'{name}: expected real numbers, got values of type {features.dtype.name}; write the '
            'features again.'
        )
    axes = tuple(row_shape)
    if features.ndim == len(axes) + 3 and len(features) == 1:
        features = features[0]
    if features.ndim != len(axes) + 2 or features.shape[1:-1] != axes:
        expected = ', '.join(('rows', *map(str, axes), 'features'))
        raise DataError(
            f'{name}: expected an array of shape ({expected}), got shape '
            f'{tuple(features.shape)}; write the features again'
            f'{" or set row_shape of the store" if axes or features.ndim > 2 else ""}.'
        )
    if not len(features):
        raise DataError(
            f'{name} is empty (zero clips or tokens); extract the features again or remove the '
            'record.'
        )
    if dim is not None and features.shape[-1] != dim:
        raise DataError(
            f'{name}: the features are {features.shape[-1]} wide, expected {dim}; set dim of the '
            'feature store or use the features that belong to this config.'
        )
    with np.errstate(over='ignore'):
        features = np.ascontiguousarray(features, dtype=np.float32)
    finite = np.isfinite(features)
    if not finite.all():
        rows = int((~finite).reshape(len(finite), -1).any(axis=1).sum())
        raise DataError(
            f'{name} has NaN or infinite values in {rows} of {len(features)} rows; extract these '
            'features again or remove the record.'
        )
    return features
