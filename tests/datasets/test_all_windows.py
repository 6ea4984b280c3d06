# SPDX-License-Identifier: Apache-2.0
"""Labels of queries with several windows and no ratings."""

import numpy as np
import pytest

from vtg.datasets import AllWindows, SingleWindow


def labels(windows, clips=10, seed=0, **options):
    record = {'relevant_windows': windows, 'duration': 2.0 * clips}
    return AllWindows(**options)(record, clips, 2.0, np.random.default_rng(seed))


def test_clips_of_every_window_are_relevant():
    found = labels([[2.0, 6.0], [9.0, 13.0], [18.0, 19.0]])
    assert np.flatnonzero(found['relevant']).tolist() == [1, 2, 4, 5, 8]
    assert found['saliency'].tolist() == found['relevant'].astype(float).tolist()
    record = {'relevant_windows': [[2.0, 6.0], [9.0, 13.0]], 'duration': 20.0}
    single = SingleWindow()(record, 10, 2.0, np.random.default_rng(0))
    assert np.flatnonzero(single['relevant']).tolist() == [1, 2]


@pytest.mark.parametrize('min_outside', [1, 2])
def test_one_clip_outside_is_a_partner_unless_more_are_asked_for(min_outside):
    for seed in range(5):
        found = labels([[0.0, 18.0]], seed=seed, min_outside=min_outside)
        inside = found['relevant'][found['neg_clips']]
        assert inside.tolist() == [min_outside == 2] * 2
        if min_outside == 2:
            assert found['neg_clips'].tolist() == found['pos_clips'].tolist()


def test_without_a_window_nothing_is_relevant():
    assert not labels([])['relevant'].any()


def test_ends_are_rounded_down_or_up():
    for rounding, clips in (('floor', [1, 2]), ('ceil', [2, 3])):
        found = labels([[3.0, 7.0]], rounding=rounding)
        assert np.flatnonzero(found['relevant']).tolist() == clips
    # A window within a clip, at the end and before the start.
    for window, clip in (([4.4, 5.0], 2), ([19.8, 24.0], 9), ([-2.0, 0.4], 0)):
        found = labels([window], rounding='ceil')
        assert np.flatnonzero(found['relevant']).tolist() == [clip]


@pytest.mark.parametrize(
    'window, clips',
    [
        # Clips of 2 s, whose centres are 1, 3, 5 and so on; ends are part of the window.
        ([3.0, 7.0], [1, 2, 3]),
        ([3.1, 6.9], [2]),
        ([15.5, 24.0], [8, 9]),
        # No centre inside: the clip in which the window begins.
        ([6.2, 6.6], [3]),
        ([19.5, 24.0], [9]),
        ([21.0, 24.0], [9]),
        ([-2.0, 0.4], [0]),
    ],
)
def test_clips_are_labelled_by_their_centres(window, clips):
    found = labels([window], rounding='nearest')
    assert np.flatnonzero(found['relevant']).tolist() == clips


@pytest.mark.parametrize(
    'window, clips',
    [
        ([3.0, 7.0], [1, 2, 3]),
        ([4.0, 8.0], [2, 3]),
        ([6.2, 6.6], [3]),
        ([4.0, 4.0], [2]),
        ([17.0, 24.0], [8, 9]),
        ([21.0, 24.0], [9]),
    ],
)
def test_clips_that_a_window_touches_are_relevant_and_only_inner_ones_labelled(window, clips):
    found, plain = labels([window], relevant='touched'), labels([window])
    assert np.flatnonzero(found['relevant']).tolist() == clips
    for name in ('saliency', 'pos_clips', 'neg_clips'):
        np.testing.assert_array_equal(found[name], plain[name])
