# SPDX-License-Identifier: Apache-2.0
"""The same metrics over groups of queries."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .arrays import Questions
from .values import Values, mean

_WORD = re.compile(r'[a-z]{3,}')
# Words that say nothing about what is seen.
_COMMON = frozenset(
    [
        'a',
        'an',
        'and',
        'are',
        'as',
        'at',
        'be',
        'been',
        'being',
        'by',
        'for',
        'from',
        'has',
        'have',
        'he',
        'her',
        'his',
        'in',
        'is',
        'it',
        'its',
        'of',
        'off',
        'on',
        'onto',
        'or',
        'over',
        'out',
        'she',
        'some',
        'that',
        'the',
        'their',
        'them',
        'there',
        'they',
        'this',
        'to',
        'up',
        'was',
        'were',
        'which',
        'while',
        'who',
        'with',
        'into',
        'then',
    ]
)
FEWEST = 20
"""Queries that a word must have to be shown."""


@dataclass(frozen=True)
class Group:
    """Queries that share something: its kind, its name, and which they are ``(Q,)``."""

    kind: str
    name: str
    rows: np.ndarray


def groups_of(questions: Questions) -> list[Group]:
    """Groups by moments, video, query and annotators; those without queries are left out.

    Length, position and coverage are of the annotated moments: mean length in seconds, the middle
    of the first moment in the video, and the share of the video that all cover.
    """
    count, asked = questions.count, questions.asked
    start, stop = questions.truth[..., 0], questions.truth[..., 1]
    length = np.where(questions.mask, stop - start, 0).sum(1)
    mean_length = length / np.maximum(count, 1)
    known = questions.duration > 0
    share = np.divide(length, questions.duration, out=np.zeros_like(length), where=known)
    middle = np.divide(
        (start[:, 0] + stop[:, 0]) / 2, questions.duration, out=np.zeros_like(length), where=known
    )
    words = np.array([len(query.split()) for query in questions.queries])
    groups = _ranges('moment length', mean_length, asked, ((10, 's'), (30, 's')))
    groups += [
        Group('moments', name, rows)
        for name, rows in (
            ('none', count == 0), ('1', count == 1), ('2', count == 2), ('3 to 5', (count > 2)
            & (count <= 5)), ('6 and more', count > 5),
        )
    ]  # fmt: skip
    groups += _ranges('position', 100 * middle, asked & known, ((33.3, '%'), (66.7, '%')))
    groups += _ranges('coverage', 100 * share, asked & known, ((10, '%'), (25, '%'), (50, '%')))
    groups += _ranges('words of the query', words, np.ones(len(words), bool), ((7, ''), (12, '')))
    groups += _thirds('video length', questions.duration, known, ' s')
    agreement = annotator_agreement(questions)
    groups += _thirds('agreement of annotators', agreement, ~np.isnan(agreement), '')
    return [group for group in groups if group.rows.any()]


def _ranges(
    kind: str, values: np.ndarray, rows: np.ndarray, limits: Sequence[tuple[float, str]]
) -> list[Group]:
    """Up to the first limit, between the limits, above the last."""
    unit = f' {limits[0][1]}' if limits[0][1] else ''
    edges = [limit for limit, _ in limits]
    names = [f'up to {edges[0]:g}{unit}']
    names += [f'{low:g} to {high:g}{unit}' for low, high in pairwise(edges)]
    names += [f'over {edges[-1]:g}{unit}']
    place = np.searchsorted(edges, values)  # low < value <= high
    return [Group(kind, name, rows & (place == index)) for index, name in enumerate(names)]


def _thirds(kind: str, values: np.ndarray, rows: np.ndarray, unit: str) -> list[Group]:
    """Three parts of about equal size; none where the values do not differ."""
    if not rows.any():
        return []
    low, high = np.quantile(values[rows], [1 / 3, 2 / 3])
    if low == high:
        return []
    return _ranges(kind, values, rows, ((round(low, 2), unit.strip()), (round(high, 2), '')))


def annotator_agreement(questions: Questions) -> np.ndarray:
    """``(Q,)``: mean correlation of the grades of two annotators over the clips of the video.

    NaN without at least two annotators that tell clips apart.
    """
    agreement = np.full(len(questions), np.nan)
    if questions.grades is None or questions.grades.shape[2] < 2:
        return agreement
    grades = questions.grades.astype(float)
    real = (np.arange(grades.shape[1]) < questions.clips[:, None])[..., None]
    number = np.maximum(questions.clips, 1)[:, None, None]
    centred = np.where(real, grades - grades.sum(1, keepdims=True) / number, 0)
    product = np.einsum('qla,qlb->qab', centred, centred)
    spread = np.sqrt(np.einsum('qaa->qa', product))
    with np.errstate(divide='ignore', invalid='ignore'):
        correlation = product / (spread[:, :, None] * spread[:, None])
    upper = np.triu_indices(grades.shape[2], 1)
    pairs = correlation[:, upper[0], upper[1]]  # (Q, pairs)
    defined = ~np.isnan(pairs)
    some = defined.any(1)
    agreement[some] = np.nan_to_num(pairs).sum(1)[some] / defined.sum(1)[some]
    return agreement


def breakdown(
    groups: Sequence[Group], values: Values, metrics: Sequence[str]
) -> list[dict[str, float]]:
    """The means of every group: queries that count for any metric, and the metrics."""
    rows = []
    for group in groups:
        row: dict[str, float] = {'queries': int(group.rows.sum())}
        row |= {name: mean(values[name][group.rows]) for name in metrics if name in values}
        rows.append(row)
    return rows


def words_of(
    questions: Questions, values: np.ndarray, fewest: int = FEWEST, most: int = 12
) -> Mapping[str, list[tuple[str, int, float]]]:
    """The words whose queries are answered worst and best.

    Args:
        questions: With their sentences.
        values: ``(Q,)`` one number per query, for example the IoU.
        fewest: Queries that a word must have. most: Words per list.

    Returns:
        ``{'worst': [(word, queries, mean), ...], 'best': ...}``; words of grammar are left out.
    """
    rows: dict[str, list[int]] = {}
    counted = ~np.isnan(values)
    for index, query in enumerate(questions.queries):
        if counted[index]:
            for word in set(_WORD.findall(query.lower())) - _COMMON:
                rows.setdefault(word, []).append(index)
    found = [
        (word, len(places), float(values[places].mean()))
        for word, places in sorted(rows.items())
        if len(places) >= fewest
    ]
    found.sort(key=lambda item: item[2])
    return {'worst': found[:most], 'best': found[::-1][:most]}
