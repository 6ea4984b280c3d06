# SPDX-License-Identifier: Apache-2.0
"""Moments of overlapping windows."""

import numpy as np
import pytest
import torch

from vtg.models.task_modules.window_merging import MergeWindows, agreement
from vtg.structures import MomentList
from vtg.utils import ConfigError

A, B, C = (0.0, 100.0), (70.0, 170.0), (140.0, 240.0)


def merge(*rows, **options):
    """Merge rows ``(start, end, score, window)`` of one video."""
    table = torch.tensor([row[:3] for row in rows], dtype=torch.float64)[None]
    seen = torch.tensor([row[3] for row in rows], dtype=torch.float64)[None]
    mask = torch.ones(1, len(rows), dtype=torch.bool)
    moments = MomentList(table[..., :2], table[..., 2], mask)
    merged = MergeWindows(**options)(moments, seen, torch.tensor([2.0]))
    rows = torch.cat((merged.spans, merged.scores[..., None]), -1)
    return [tuple(row) for row in rows[merged.mask].tolist()]


def test_agreement_counts_only_common_seconds():
    span, seen = np.array([[60.0, 90.0]]), np.array([A])
    spans = np.array([[[70.0, 80.0, 110.0, 60.0], [90.0, 90.0, 120.0, 90.0]]])
    others = np.array([[B, B, B, C]]).swapaxes(1, 2)
    assert agreement(span, seen, spans, others).tolist() == [[1.0, 0.5, 0.0, 0.0]]


def test_a_moment_of_two_windows_is_found_once():
    assert merge((74, 90, 0.8, A), (75, 91, 0.9, B)) == [(75, 91, 0.9)]


def test_a_cut_moment_takes_its_end_from_the_window_that_goes_on():
    assert merge((60, 100, 0.9, A), (70, 130, 0.8, B)) == [(60, 130, 0.9)]
    assert merge((60, 100, 0.8, A), (70, 130, 0.9, B)) == [(60, 130, 0.9)]
    # Over three windows, whichever is best.
    for scores in ((0.9, 0.8, 0.7), (0.7, 0.9, 0.8), (0.7, 0.8, 0.9)):
        found = zip(((50, 100), (70, 170), (140, 200)), scores, (A, B, C))
        assert merge(*((*span, score, window) for span, score, window in found)) == [(50, 200, 0.9)]


def test_a_moment_that_only_starts_at_a_border_is_not_extended():
    # A saw where it starts, and says so with the higher score.
    found = merge((70, 100, 0.8, A), (10, 99, 0.7, A), (70, 130, 0.9, B))
    assert found == [(70, 130, 0.9)]
    # A poor moment lends nothing.
    assert merge((10, 100, 0.1, A), (70, 130, 0.9, B)) == [(70, 130, 0.9)]


def test_lists_of_one_window_stay_as_they_are():
    rows = [(10, 20, 0.9, A), (10, 20, 0.9, A), (11, 21, 0.5, A), (5, 5, 0.3, A)]
    assert merge(*rows) == [row[:3] for row in rows]


def test_different_moments_stay_apart():
    rows = [(60, 80, 0.9, A), (85, 99, 0.8, B), (150, 160, 0.7, C)]
    assert merge(*rows) == [row[:3] for row in rows]
    assert merge(*rows, max_moments=2) == [row[:3] for row in rows[:2]]


def test_samples_do_not_see_each_other_and_padding_counts_for_nothing():
    generator = torch.Generator().manual_seed(1)
    size = torch.tensor([12, 5, 0])
    seen = torch.tensor([A, B, C], dtype=torch.float64)[
        torch.randint(3, (3, 12), generator=generator)
    ]
    spans = seen[..., :1] + 100 * torch.rand(3, 12, 2, generator=generator).double().sort(-1).values
    scores = torch.rand(3, 12, generator=generator).double()
    mask = torch.arange(12) < size[:, None]
    merger, clip = MergeWindows(), torch.full((3,), 2.0)
    together = merger(MomentList(spans, scores, mask), seen, clip)
    for row, count in enumerate(size.tolist()):
        cut = (slice(row, row + 1), slice(0, count))
        alone = merger(MomentList(spans[cut], scores[cut], mask[cut]), seen[cut], clip[:1])
        kept = together.mask[row]
        assert torch.equal(together.spans[row][kept], alone.spans[0][alone.mask[0]])
        assert torch.equal(together.scores[row][kept], alone.scores[0][alone.mask[0]])


def test_wrong_numbers_are_refused():
    with pytest.raises(ConfigError, match='iou_threshold=2'):
        MergeWindows(iou_threshold=2)
