# SPDX-License-Identifier: Apache-2.0
"""Intervals cover what they should, and tests agree with calculations by hand."""

import math

import numpy as np
import pytest

from vtg.analysis.significance import (
    bootstrap,
    bootstrap_statistic,
    holm,
    mcnemar,
    stars,
    two_level,
)

RUNS = 300


def coverage(draw, units=None, **options):
    """Share of data sets whose interval holds the true mean."""
    rng = np.random.default_rng(1)
    held = 0
    for run in range(RUNS):
        values, true = draw(rng)
        (found,) = bootstrap(values, units, resamples=300, seed=run, **options)
        held += found.low <= true <= found.high
    return held / RUNS


def test_intervals_cover_the_true_difference():
    # Differences of hits, as R1 has them: -100, 0 or 100.
    odds = (0.1, 0.7, 0.2)
    share = coverage(lambda rng: (rng.choice((-100.0, 0.0, 100.0), 80, p=odds), 10.0))
    assert 0.9 <= share <= 0.985


def test_intervals_over_videos_cover_where_queries_of_a_video_agree():
    videos = np.repeat(np.arange(40), 5)

    def draw(rng):
        # Five queries of a video share most of their difference.
        return (rng.normal(size=40)[videos] + 0.3 * rng.normal(size=200) + 2, 2.0)

    assert 0.9 <= coverage(draw, videos) <= 0.985
    assert coverage(draw) < 0.8  # as if all queries were independent


def test_videos_are_a_ratio_of_sums():
    videos = ['a', 'a', 'a', 'b']
    values = np.array([1.0, 1, 1, 5])
    (found,) = bootstrap(values, videos, resamples=4000)
    assert found.mean == 2 and (found.low, found.high) == (1, 5)


def test_queries_that_do_not_count_change_nothing():
    values = np.random.default_rng(0).normal(size=(2, 50))
    padded = np.concatenate((values, np.full((2, 50), np.nan)), 1)
    for one, other in zip(bootstrap(values, resamples=2000), bootstrap(padded, resamples=2000)):
        assert one.mean == pytest.approx(other.mean)
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.06)
    (empty,) = bootstrap(np.full(3, np.nan), resamples=100)
    assert math.isnan(empty.mean) and math.isnan(empty.p)


def test_equal_systems_do_not_differ():
    (found,) = bootstrap(np.zeros(20), resamples=200)
    assert (found.mean, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert mcnemar(np.ones(4), np.ones(4)).p == 1


def test_a_statistic_that_is_no_mean():
    values = np.arange(100.0)
    found = bootstrap_statistic(lambda rows: float(np.median(values[rows])), 100, 300)
    assert found.mean == 49.5 and 30 < found.low < 49.5 < found.high < 70


def test_seeds_widen_the_interval():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(1, 100))
    a, b = noise + 5 * rng.normal(size=(4, 1)), noise + 5 * rng.normal(size=(4, 1))
    (queries,) = bootstrap((b - a).mean(0), resamples=500)
    both = two_level(a, b, 500)
    assert both.mean == pytest.approx(queries.mean)
    assert queries.high - queries.low < 1e-9 < 4 < both.high - both.low


def test_exact_values():
    # n10 = 1, n01 = 4: 2 * (1 + 5) / 32.
    found = mcnemar(np.array([100.0, 0, 0, 0, 0, 1, math.nan]), np.array([0, 1, 1, 1, 1.0, 1, 1]))
    assert (found.only_first, found.only_second, found.p) == (1, 4, 0.375)
    assert holm([0.01, 0.04, 0.03, math.nan])[:3] == pytest.approx([0.03, 0.06, 0.06])
    assert [stars(p) for p in (0.0009, 0.009, 0.049, 0.05, math.nan)] == ['***', '**', '*', '', '']
