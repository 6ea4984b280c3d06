# SPDX-License-Identifier: Apache-2.0
"""Choosing when a query counts as one without a moment, from scores and annotations of a split."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vtg.utils import DataError, Record, check_choice

from .matching import WINDOWS, area_under_roc

CRITERIA = ('balanced_accuracy', 'accuracy', 'rejection_f1')
_STEPS = 100


class Choice(NamedTuple):
    """A threshold and what it gives, from 0 to 1.

    Attributes:
        threshold: Queries with a score above it are answered.
        value: The criterion there.
        reject_all: The criterion where every query is rejected.
        auroc: Area under the ROC curve of the scores; equal scores count half.
    """

    threshold: float
    value: float
    reject_all: float
    auroc: float


def has_moment(annotations: Sequence[Record]) -> np.ndarray:
    """Whether every query has a moment ``(N,)``.

    Raises:
        DataError: A query is not labelled, or all are of one kind.
    """
    for record in annotations:
        if record.get('relevant_windows') is None:
            raise DataError(
                f'qid {record.get("qid")!r} has no relevant_windows, so nothing says whether there '
                'is a moment; choose on a labelled split.'
            )
    exists = np.asarray([bool(record['relevant_windows']) for record in annotations], dtype=bool)
    if exists.all() or not exists.any():
        kind = 'has a moment' if exists.all() else 'has none'
        raise DataError(
            f'every one of the {len(exists)} queries {kind}; choosing needs a split with queries '
            'of both kinds.'
        )
    return exists


def best_scores(predictions: Sequence[Record]) -> np.ndarray:
    """The score of the best moment of every query ``(N,)``, NaN where there is no moment."""
    found = []
    for record in predictions:
        rows = [row for row in record.get(WINDOWS) or [] if any(row)]
        found.append(max((row[2] for row in rows), default=np.nan))
    return np.asarray(found, dtype=np.float64)


def choose_threshold(
    scores: np.ndarray, exists: np.ndarray, by: str = 'balanced_accuracy'
) -> Choice:
    """Choose the threshold that is best on a split.

    Args:
        scores: ``(N,)`` probabilities that queries have a moment.
        exists: ``(N,)`` whether they have; some must and some must not.
        by: What is maximised: ``'balanced_accuracy'``, the mean of the shares of queries with and
            without a moment that are told right, ``'accuracy'``, or ``'rejection_f1'``, the F1 of
            rejected queries, which is high for rejecting everything where many have no moment.

    Returns:
        Of equally good thresholds the one in the widest gap between scores, in its middle.
    """
    check_choice(by, CRITERIA, 'the criterion')
    order = np.argsort(scores, kind='stable')
    ranked, positive = scores[order], exists[order]
    last = np.flatnonzero(np.append(np.diff(ranked) > 0, True))  # the last of equal scores
    # Rejected with and without a moment: nothing first, then up to every different score.
    false = np.append(0, np.cumsum(positive)[last])
    right = np.append(0, np.cumsum(~positive)[last])
    borders = np.concatenate(([min(0.0, ranked[0])], ranked[last], [max(1.0, ranked[-1])]))
    low, high = borders[:-1], borders[1:]
    thresholds = (low + high) / 2
    # Exactly 0 is never above a threshold, and exactly 1 always is, unless all are rejected.
    usable = (high > low) | (np.arange(len(low)) == len(low) - 1)
    thresholds[-1] = borders[-1]
    values = _criterion(by, false, right, positive)
    best = max(np.flatnonzero(usable), key=lambda i: (values[i], high[i] - low[i]))
    auroc = area_under_roc(scores, exists)
    return Choice(float(thresholds[best]), float(values[best]), float(values[-1]), auroc)


def _criterion(by: str, false: np.ndarray, right: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """The criterion by the numbers of wrongly and rightly rejected queries."""
    with_moment = positive.sum()
    without = len(positive) - with_moment
    if by == 'accuracy':
        return (right + with_moment - false) / len(positive)
    if by == 'balanced_accuracy':
        return (right / without + (with_moment - false) / with_moment) / 2
    return 2 * right / (false + right + without)


def fit_logistic(scores: np.ndarray, exists: np.ndarray) -> tuple[float, float]:
    """Fit ``sigmoid(slope * score + intercept)`` to "the query has a moment".

    Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with his targets inside of
    (0, 1), so that the fit is finite where a score separates both kinds.

    Args:
        scores: ``(N,)``.
        exists: ``(N,)`` some True and some False.

    Returns:
        Slope and intercept.
    """
    centre, scale = scores.mean(), scores.std() or 1.0
    design = np.stack([(scores - centre) / scale, np.ones_like(scores)], axis=1)
    count = np.count_nonzero(exists)
    above, below = (count + 1) / (count + 2), 1 / (len(exists) - count + 2)
    wanted = np.where(exists, above, below)
    weights = np.zeros(2)
    for _ in range(_STEPS):
        found = 1 / (1 + np.exp(-design @ weights))
        spread = found * (1 - found)
        curvature = design.T @ (design * spread[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, design.T @ (wanted - found))
        # A step of Newton's method may be too long where the curve is flat.
        step *= min(1.0, 4.0 / max(np.abs(step).max(), 1e-12))
        weights += step
        if np.abs(step).max() < 1e-10:
            break
    slope = weights[0] / scale
    return float(slope), float(weights[1] - slope * centre)
