# SPDX-License-Identifier: Apache-2.0
"""Arrays to features, without files and labels."""

import numpy as np
import pytest

from vtg.datasets.assembly import Assembly
from vtg.utils import ConfigError

RECORD = {'duration': 12.0}


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(rows, 3)).astype(np.float32) for rows in (7, 6)]


def test_plain_arrays_are_cut_to_the_shortest_and_joined(arrays):
    plain = Assembly(normalize_video=False, tef=False)
    video, clips = plain.video(arrays, RECORD)
    np.testing.assert_array_equal(video, np.concatenate([arrays[0][:6], arrays[1]], axis=1))
    assert clips == 6


def test_rows_that_pad_count_only_where_they_are_not_masked(arrays):
    masked, clips = Assembly(pad_to_multiple=4).video(arrays, RECORD)
    counted, more = Assembly(pad_to_multiple=4, mask_padding=False).video(arrays, RECORD)
    np.testing.assert_array_equal(masked, counted)
    assert not masked[6:].any() and (clips, more) == (6, 8)


def test_clips_without_ratings_are_cut_behind_the_positions(arrays):
    rated = {**RECORD, 'label': [[1], [2], [3], [4]]}
    cut, clips = Assembly().video(arrays, rated)
    kept, more = Assembly(unrated_clips='keep').video(arrays, rated)
    np.testing.assert_array_equal(cut, kept[:4])
    assert (clips, more) == (4, 6) and cut[0, -1] == pytest.approx(1 / 6)


def test_clips_without_ratings_are_cut_before_the_positions_where_asked(arrays):
    rated = {**RECORD, 'label': [[1], [2], [3], [4]]}
    first, clips = Assembly(unrated_clips='cut_first').video(arrays, rated)
    later, _ = Assembly().video(arrays, rated)
    np.testing.assert_array_equal(first[:, :-2], later[:, :-2])
    assert clips == 4 and first[-1, -1] == pytest.approx(1)
    more = {**RECORD, 'label': [[1]] * 9}
    assert Assembly(unrated_clips='cut_first').video(arrays, more)[1] == 6


def test_only_a_generator_drops_tokens(arrays):
    assembly = Assembly(txt_drop_ratio=0.5, max_text_tokens=6, normalize_text=False)
    np.testing.assert_array_equal(assembly.text(arrays[:1]), arrays[0][:6])
    dropped = assembly.text(arrays[:1], np.random.default_rng(0))
    assert (dropped == 0).all(1).sum() == 3 and arrays[0].all()


def test_lengths_are_compared_behind_the_cut():
    assembly = Assembly(max_video_clips=5, length_tolerance=1)
    assert assembly.surplus(9, RECORD, 2.0) == 0 and assembly.surplus(3, RECORD, 2.0) == -2
    assert assembly.length_problem(4, RECORD, 2.0) is None
    problem = assembly.length_problem(3, RECORD, 2.0)
    assert problem.startswith('has 3 clips, expected 5 (12.0 s at 2 s per clip, tolerance 1)')
    rated = {**RECORD, 'label': [[1]] * 4}
    assert 'one per row of label' in assembly.length_problem(2, rated, 2.0)


def test_arguments_are_checked():
    with pytest.raises(ConfigError, match=r'features has no max_clips; did you mean max_video'):
        Assembly.of({'max_clips': 3})
    with pytest.raises(ConfigError, match='unrated_clips'):
        Assembly.of({'unrated_clips': 'drop'})
    assert Assembly.of(None) == Assembly()
