# SPDX-License-Identifier: Apache-2.0
"""The labels of InterVid-MR: reference cases, hand-computed cases, properties."""

import numpy as np
import pytest

from vtg.pretraining import CaptionFilter, crop_window, filter_captions, label_moments
from vtg.pretraining.intervid import interval_problem, original_clips, runs


@pytest.mark.parametrize('case', range(5))
def test_reference_cases(shared, case):
    arrays = np.load(shared / 'golden/sgdetr_parts.npz')
    start, end = arrays[f'in/intervid/{case}/interval']
    found = label_moments(arrays[f'in/intervid/{case}/sim'], start, end)

    def expected(name):
        return arrays[f'out/intervid/{case}/{name}']

    np.testing.assert_array_equal(found.original, expected('pos0'))
    np.testing.assert_array_equal(found.positive, expected('pos'))
    np.testing.assert_array_equal(found.windows, expected('windows'))
    np.testing.assert_array_equal(found.grades, expected('grade'))
    for name, value in (('s_min', found.s_min), ('mu', found.mean), ('sigma', found.std)):
        assert value == pytest.approx(float(expected(name)), abs=1e-9)


def test_grades_by_hand():
    # Mean 0.5, deviation 0.2 over the ten positives; limits 0.2, 0.5, 0.8.
    similarity = np.array([0.1, 0.5, 0.5, 0.5, 0.9, 0.5, 0.5, 0.5, 0.3, 0.7])
    found = label_moments(similarity, 0.0, 20.0)
    std = similarity.std()
    assert found.positive.all() and found.std == pytest.approx(std)
    limits = [0.5 - 1.5 * std, 0.5, 0.5 + 1.5 * std]
    expected = [1 + sum(value > limit for limit in limits) for value in similarity]
    # Values at the mean itself are not above it, whatever the rounding of the mean.
    assert (
        found.grades[[0, 4, 8, 9]].tolist() == [expected[i] for i in (0, 4, 8, 9)] == [1, 4, 2, 3]
    )


def test_one_clip_keeps_itself_and_equals():
    found = label_moments(np.array([0.1, 0.3, 0.2, 0.3]), 2.2, 2.9)
    assert found.positive.tolist() == [False, True, False, True]
    assert found.windows.tolist() == [[2, 4], [6, 8]] and found.grades.tolist() == [0, 2, 0, 2]


def test_ten_clips_or_fewer_never_lose_one():
    rng = np.random.default_rng(0)
    for _ in range(50):
        found = label_moments(rng.normal(size=30), 10.0, 30.0)
        assert (found.positive | ~found.original).all() and found.positive.any()


def test_original_clips():
    assert original_clips(3.0, 7.1, 5).tolist() == [False, False, True, True, False]
    assert original_clips(3.0, 5.0, 5).tolist() == [False, True, False, False, False]
    assert original_clips(0.1, 0.2, 2).tolist() == [True, False]


def test_runs():
    assert runs(np.array([1, 1, 0, 1], bool), 2.0).tolist() == [[0, 4], [6, 8]]
    assert runs(np.zeros(3, bool)).shape == (0, 2)


def test_caption_rules():
    rules = CaptionFilter()
    for caption, reason in (
        ('A man opens the red door', None),
        ('A man runs', 'number of words'),
        (' '.join(f'word{i}' for i in range(41)), 'number of words'),
        ('1234 5678 9012 ab cd', 'not alphabetic'),
        ('yes yes yes yes yes yes no', 'repetition'),
        ('this is a Black  Screen again', 'stop phrase'),
        ('a dog unloading the blue car', None),
        ("the woman's hand isn't there", None),
    ):
        assert rules.reason(caption) == reason, caption


def test_common_captions():
    captions = (
        ['A man opens the door'] * 22 + [' a man opens the DOOR '] + ['Two dogs run in sand'] * 30
    )
    videos = [f'v{i}' for i in range(23)] + ['one'] * 30
    found = filter_captions(videos, captions, CaptionFilter())
    assert set(found[:23]) == {'too common'} and set(found[23:]) == {None}
    assert filter_captions(videos[:20], captions[:20], CaptionFilter()) == [None] * 20


def test_intervals():
    assert interval_problem(3, 5, 100) == '' and interval_problem(3, 100.9, 100) == ''
    assert interval_problem(5, 5, 100) == 'no length'
    assert interval_problem(5, 101.5, 100) == 'outside the video'
    assert interval_problem(0, 151, 400) == 'too long'


def test_crops_hold_the_interval_and_are_reproducible():
    rng = np.random.default_rng(0)
    begins = set()
    for index in range(300):
        duration = rng.uniform(10, 600)
        start = rng.uniform(0, duration - 5)
        end = min(duration, start + rng.uniform(1, 100))
        begin, length = crop_window('vid', f'caption {index}', start, end, duration)
        assert begin % 2 == 0 and length % 2 == 0 and length == min(150, duration) // 2 * 2
        assert 0 <= begin <= start and begin + length <= duration
        # Rounding down to the grid may cost the end up to two clips, never more.
        assert end - (begin + length) < 4
        assert crop_window('vid', f'caption {index}', start, end, duration) == (begin, length)
        begins.add(begin)
    assert len(begins) > 30
    assert crop_window('vid', 'x', 200, 210, 600) != crop_window('vid', 'y', 200, 210, 600)
    assert crop_window('v', 'c', 0.0, 1.0, 1.5)[1] == 0
