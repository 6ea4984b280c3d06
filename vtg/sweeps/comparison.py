# SPDX-License-Identifier: Apache-2.0
"""Paired comparisons of the rows of a sweep."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

ALL = 'all'


@dataclass(frozen=True)
class Difference:
    """Differences of pairs: their mean, their standard deviation (n - 1), how many are above 0, and
    the p of a two-sided paired t-test; None where there are too few pairs."""

    pairs: int
    mean: float | None = None
    deviation: float | None = None
    higher: int = 0
    p: float | None = None

    def __str__(self) -> str:
        if self.mean is None:
            return '-'
        if self.deviation is None:
            return f'{self.mean:+.2f}'
        tested = '' if self.p is None else f' (p = {self.p:.3f})'
        return f'{self.mean:+.2f} ± {self.deviation:.2f}{tested}'


def difference(values: Sequence[float]) -> Difference:
    """Describe the differences of pairs. Without any spread a t-test has nothing to say."""
    higher = sum(value > 0 for value in values)
    mean = statistics.fmean(values) if values else None
    if len(values) < 2:
        return Difference(len(values), mean, higher=higher)
    deviation = statistics.stdev(values)
    p = float(stats.ttest_1samp(values, 0.0).pvalue) if deviation > 0 else math.nan
    known = None if math.isnan(p) else p
    return Difference(len(values), mean, deviation, higher, known)


Results = Mapping[int, Mapping[str, float | None]]


@dataclass(frozen=True)
class Comparison:
    """A row against the first row of its config, metric by metric."""

    config: str
    label: tuple[str, ...]
    differences: Mapping[str, Difference]

    @property
    def pairs(self) -> int:
        """The most pairs of any metric."""
        return max((found.pairs for found in self.differences.values()), default=0)


def compare(
    rows: Sequence[tuple[str, tuple[str, ...], Results]], metrics: Sequence[str]
) -> list[Comparison]:
    """Compare every row with the first of the same config, seed by seed.

    Where there are several configs, a last line per label pairs over the configs instead: one pair
    is the mean difference of one config. It says whether a change helps systems in general.

    Args:
        rows: Config, label and results (metrics by seed) of every row, in the order of the table.
        metrics: What is compared.
    """
    first: dict[str, Results] = {}
    made: list[Comparison] = []
    for config, label, results in rows:
        if config not in first:
            first[config] = results
            continue
        seeds = [seed for seed in results if seed in first[config]]
        found = {name: difference(_pairs(results, first[config], seeds, name)) for name in metrics}
        made.append(Comparison(config, label, found))
    if len(first) < 2:
        return made
    means: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for one in made:
        by_metric = means.setdefault(one.label, {name: [] for name in metrics})
        for name, found_one in one.differences.items():
            by_metric[name] += [] if found_one.mean is None else [found_one.mean]
    for label, values in means.items():
        made.append(Comparison(ALL, label, {name: difference(v) for name, v in values.items()}))
    return made


def _pairs(ours: Results, others: Results, seeds: Sequence[int], name: str) -> list[float]:
    pairs = ((ours[seed].get(name), others[seed].get(name)) for seed in seeds)
    return [one - other for one, other in pairs if one is not None and other is not None]
