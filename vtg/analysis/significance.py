# SPDX-License-Identifier: Apache-2.0
"""Paired comparison of two systems on the same queries.

The intervals cover the draw of the test queries, not that of the seed. Efron and Tibshirani, 1993
(bootstrap); McNemar, 1947; Holm, 1979.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

RESAMPLES = 10_000
_PIECE = 1 << 21
"""Numbers that are drawn at once."""
_STARS = ((0.001, '***'), (0.01, '**'), (0.05, '*'))


@dataclass(frozen=True)
class Interval:
    """A difference of means with the 95 % interval and the two-sided p of the bootstrap."""

    mean: float
    low: float
    high: float
    p: float


def bootstrap(
    differences: np.ndarray,
    units: Sequence[object] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Interval]:
    """The paired bootstrap, for several metrics over the same draws.

    Args:
        differences: ``(M, Q)`` value of the one system minus that of the other; NaN where a query
            does not count, the same for both.
        units: What is drawn: the video of every query; None draws queries. Where videos are drawn,
            the statistic is the sum of the differences of their queries over their number.
        resamples: Draws. seed: Of the generator.

    Returns:
        One interval per metric; NaN where no query counts.
    """
    values = np.atleast_2d(differences)
    counted = ~np.isnan(values)
    owner = np.arange(values.shape[1])
    if units is not None:
        owner = np.unique([str(unit) for unit in units], return_inverse=True)[1]
    size = int(owner.max(initial=-1)) + 1
    sums = np.stack([np.bincount(owner, row, size) for row in np.nan_to_num(values)])
    numbers = np.stack([np.bincount(owner, row, size) for row in counted])
    drawn = np.empty((len(values), resamples))
    rng = np.random.default_rng(seed)
    step = max(1, _PIECE // max(size, 1))
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        picks = rng.integers(0, size, (stop - start, size))
        picks += np.arange(stop - start)[:, None] * size
        times = np.bincount(picks.ravel(), minlength=(stop - start) * size).reshape(-1, size)
        with np.errstate(divide='ignore', invalid='ignore'):
            drawn[:, start:stop] = (sums @ times.T) / (numbers @ times.T)
    return [
        _interval(float(row[real].mean()) if real.any() else np.nan, sample)
        for row, real, sample in zip(values, counted, drawn)
    ]


def bootstrap_statistic(
    statistic: Callable[[np.ndarray], float], size: int, resamples: int = 1000, seed: int = 0
) -> Interval:
    """The bootstrap of a difference that is no mean, such as that of two areas under curves.

    Args:
        statistic: Gets the numbers of the drawn queries, returns the difference on them.
        size: Queries.
        resamples: Draws. seed: Of the generator.
    """
    rng = np.random.default_rng(seed)
    drawn = [statistic(rng.integers(0, size, size)) for _ in range(resamples)]
    return _interval(statistic(np.arange(size)), np.array(drawn))


def _interval(mean: float, drawn: np.ndarray) -> Interval:
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn) or np.isnan(mean):
        return Interval(float('nan'), float('nan'), float('nan'), float('nan'))
    low, high = np.percentile(drawn, [2.5, 97.5])
    total = len(drawn) + 1
    tail = min((1 + (drawn <= 0).sum()) / total, (1 + (drawn >= 0).sum()) / total)
    return Interval(mean, float(low), float(high), float(min(1.0, 2 * tail)))


def two_level(a: np.ndarray, b: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """The bootstrap over seeds, then over queries: covers both draws.

    Args:
        a: ``(S, Q)`` values of the runs of one system; b: ``(T, Q)`` of the other.
        resamples: Draws. seed: Of the generator.
    """
    rng = np.random.default_rng(seed)
    real = ~np.isnan(a).any(0) & ~np.isnan(b).any(0)
    a, b = a[:, real], b[:, real]
    drawn = np.empty(resamples)
    for place in range(resamples):
        pick = rng.integers(0, a.shape[1], a.shape[1])
        runs = [rng.integers(0, len(one), len(one)) for one in (a, b)]
        weights = [np.bincount(run, minlength=len(one)) for run, one in zip(runs, (a, b))]
        times = np.bincount(pick, minlength=a.shape[1])
        one, other = (w @ (v @ times) / len(v) for w, v in zip(weights, (a, b)))
        drawn[place] = (other - one) / a.shape[1]
    return _interval(float(b.mean() - a.mean()), drawn)


@dataclass(frozen=True)
class McNemar:
    """Queries that only one of two systems hits, and the exact two-sided p."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    """Compare hits ``(Q,)`` (above 0) of two systems; NaN in either leaves a query out."""
    real = ~np.isnan(first) & ~np.isnan(second)
    a, b = first[real] > 0, second[real] > 0
    n10, n01 = int((a & ~b).sum()), int((~a & b).sum())
    p = min(1.0, 2 * float(binom.cdf(min(n10, n01), n10 + n01, 0.5))) if n10 + n01 else 1.0
    return McNemar(n10, n01, p)


def holm(values: Sequence[float]) -> list[float]:
    """p values adjusted for their number, step by step; NaN stays."""
    real = [index for index, p in enumerate(values) if not np.isnan(p)]
    adjusted = list(values)
    highest = 0.0
    for step, index in enumerate(sorted(real, key=lambda i: values[i])):
        highest = max(highest, min(1.0, values[index] * (len(real) - step)))
        adjusted[index] = highest
    return adjusted


def stars(p: float) -> str:
    """``***`` below 0.001, ``**`` below 0.01, ``*`` below 0.05."""
    return next((mark for limit, mark in _STARS if p < limit), '')
