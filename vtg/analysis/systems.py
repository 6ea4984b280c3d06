# SPDX-License-Identifier: Apache-2.0
"""Systems side by side: one or several runs each, and how they differ from the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vtg.utils import mean_and_deviation

from .arrays import Answers, Questions
from .significance import (
    Interval,
    McNemar,
    bootstrap,
    holm,
    mcnemar,
    two_level,
)
from .values import HITS, MAIN, Values, means, query_values

SEEDS = 3
"""Runs below which a deviation says little."""
_PER_VIDEO = 1.5


@dataclass(frozen=True)
class System:
    """A system with its runs, which differ in the seed alone.

    Attributes:
        name: For tables. questions: What was asked. runs: The answers, the first is looked at where
            one list is needed.
    """

    name: str
    questions: Questions
    runs: Sequence[Answers]

    @cached_property
    def run_values(self) -> list[Values]:
        """Values per query of every run."""
        return [query_values(self.questions, run) for run in self.runs]

    @cached_property
    def values(self) -> Values:
        """Values per query, averaged over the runs."""
        shared = [n for n in self.run_values[0] if all(n in values for values in self.run_values)]
        return {n: np.mean([values[n] for values in self.run_values], axis=0) for n in shared}

    @property
    def first(self) -> Answers:
        """The first run."""
        return self.runs[0]

    def spread(self, metric: str) -> tuple[float | None, float | None]:
        """Mean and sample deviation of a metric over the runs; None for the one of one run."""
        return mean_and_deviation([means(values)[metric] for values in self.run_values])


@dataclass(frozen=True)
class Comparison:
    """A system against the first, in one metric; a positive difference is in its favour.

    Attributes:
        system, metric: Which.
        queries, videos: The bootstrap over queries and over videos.
        adjusted: p of the preferred bootstrap, adjusted for the number of comparisons (Holm).
        hits: For metrics that a query hits or misses.
        seeds: The bootstrap over seeds and queries, where both have at least three runs.
    """

    system: str
    metric: str
    queries: Interval
    videos: Interval
    adjusted: float
    hits: McNemar | None = None
    seeds: Interval | None = None


def by_videos(questions: Questions) -> bool:
    """Whether queries share videos so much that videos are what is drawn."""
    return len(questions) > _PER_VIDEO * len(set(questions.videos))


def compare(systems: Sequence[System], resamples: int, seed: int = 0) -> list[Comparison]:
    """Compare every system with the first, metric by metric.

    Args:
        systems: At least one. resamples: Draws of the bootstrap. seed: Of its generator.
    """
    first, *others = systems
    pairs = [
        (other, metric)
        for other in others
        for metric in MAIN
        if metric in first.values and metric in other.values
    ]
    if not pairs:
        return []
    differences = np.stack([o.values[m] - first.values[m] for o, m in pairs])
    videos = first.questions.videos
    queries = bootstrap(differences, None, resamples, seed)
    drawn = bootstrap(differences, videos, resamples, seed)
    preferred = drawn if by_videos(first.questions) else queries
    adjusted = holm([interval.p for interval in preferred])
    return [
        Comparison(
            other.name,
            metric,
            queries[index],
            drawn[index],
            adjusted[index],
            _hits(first, other, metric),
            _two_level(first, other, metric, resamples, seed),
        )
        for index, (other, metric) in enumerate(pairs)
    ]


def _hits(first: System, other: System, metric: str) -> McNemar | None:
    if metric not in HITS or len(first.runs) > 1 or len(other.runs) > 1:
        return None
    return mcnemar(first.values[metric], other.values[metric])


def _two_level(
    first: System, other: System, metric: str, resamples: int, seed: int
) -> Interval | None:
    if min(len(first.runs), len(other.runs)) < SEEDS:
        return None
    a, b = (np.stack([v[metric] for v in one.run_values]) for one in (first, other))
    return two_level(a, b, min(resamples, 2000), seed)
