# SPDX-License-Identifier: Apache-2.0
"""Points of the pyramid and their assignment, against loops."""

import math

import torch

from vtg.models.task_modules import PointAssigner, PointGenerator1D

STRIDES = (1, 2, 4, 8)


def naive(points, windows, radius=1.5):
    """Index of the window of every point, None for background."""
    chosen = []
    for p, low, high, s in points:
        best = None
        for index, (a, b) in enumerate(windows):
            centre = (a + b) / 2
            inside = max(centre - radius * s, a) <= p <= min(centre + radius * s, b)
            fits = low <= max(p - a, b - p) <= high
            shorter = best is None or b - a < windows[best][1] - windows[best][0]
            if inside and fits and shorter:
                best = index
        chosen.append(best)
    return chosen


def rows_of(points):
    columns = (points.position, points.low, points.high, points.stride)
    return list(zip(*(column.tolist() for column in columns)))


def test_ranges_and_positions():
    rows = rows_of(PointGenerator1D()([5, 2, 1], (1, 2, 4)))
    assert rows[:2] == [(0, 0, 2, 1), (1, 0, 2, 1)]
    assert rows[5:7] == [(0, 2, 4, 2), (2, 2, 4, 2)]
    assert rows[7] == (0, 4, math.inf, 4)
    assert rows_of(PointGenerator1D()([1], (1,))) == [(0, 0, math.inf, 1)]
    assert rows_of(PointGenerator1D(strides=(2,))([1], (1,))) == [(0, 0, math.inf, 2)]


def test_assignment_against_loops():
    generator = torch.Generator().manual_seed(1)
    points = PointGenerator1D()([40, 20, 10, 5], STRIDES)
    start = torch.randint(0, 30, (6, 4), generator=generator).float()
    length = torch.randint(1, 10, (6, 4), generator=generator).float()
    windows = torch.stack((start, start + length), dim=-1)
    mask = torch.arange(4) < torch.tensor([4, 1, 2, 3, 4, 0])[:, None]
    # Windows that come back from fractions of the video carry rounding errors.
    assigned = PointAssigner()(points, windows / 40 * 40 + 2e-6, mask)
    for b in range(6):
        expected = naive(rows_of(points), windows[b][mask[b]].tolist())
        assert assigned.positive[b].tolist() == [index is not None for index in expected]
        for p, index in enumerate(expected):
            if index is None:
                assert assigned.offsets[b, p].tolist() == [0, 0]
                continue
            (a, e), position, s = windows[b, index], points.position[p], points.stride[p]
            wanted = torch.stack(((position - a) / s, (e - position) / s))
            assert torch.allclose(assigned.offsets[b, p], wanted, atol=1e-4)
    assert not assigned.positive[5].any()


def test_bounds_are_inclusive():
    points = PointGenerator1D()([8, 4], (1, 2))
    positive = PointAssigner()(points, torch.tensor([[[2.0, 4.0]]]), torch.ones(1, 1).bool())
    # Both ends belong to the moment, and a distance of 2 to both levels.
    assert positive.positive[0].nonzero().flatten().tolist() == [2, 3, 4, 8 + 1, 8 + 2]


def test_no_moments_at_all():
    points = PointGenerator1D()([4], (1,))
    assigned = PointAssigner()(points, torch.zeros(2, 0, 2), torch.zeros(2, 0).bool())
    assert not assigned.positive.any()
    assert assigned.offsets.shape == (2, 4, 2)
