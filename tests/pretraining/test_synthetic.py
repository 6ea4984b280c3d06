# SPDX-License-Identifier: Apache-2.0
"""Intervals, clips and scores of VideoLights' synthetic pairs."""

import numpy as np
import pytest

from vtg.pretraining.synthetic import (
    interval_clips,
    make_record,
    representative_clips,
    saliency_of,
    split_intervals,
)
from vtg.utils import ConfigError


def test_intervals():
    assert split_intervals(23.0).tolist() == [[0, 10], [10, 20], [20, 23]]
    assert split_intervals(30.0).tolist() == [[0, 10], [10, 20], [20, 30]]
    assert split_intervals(4.0).tolist() == [[0, 4]]
    even = split_intervals(26.0, rule='even')
    np.testing.assert_allclose(even, [[0, 26 / 3], [26 / 3, 52 / 3], [52 / 3, 26]])
    assert len(split_intervals(3.0, rule='even')) == 1
    with pytest.raises(ConfigError, match='rule'):
        split_intervals(10.0, rule='odd')


def test_the_middle_clip_represents():
    # The middle of [0, 10) is at 5 s, where the frame of clip 2 ([4, 6)) is taken.
    assert representative_clips(split_intervals(23.0), 12, 2.0).tolist() == [2, 7, 10]


def test_clips():
    assert interval_clips(10.0, 20.0, 12, 2.0).tolist() == [5, 6, 7, 8, 9]
    assert interval_clips(20.0, 23.0, 12, 2.0).tolist() == [10, 11]
    assert interval_clips(20.0, 23.0, 12, 2.0, drop_last=True).tolist() == [10]
    assert interval_clips(0.0, 1.0, 1, 2.0, drop_last=True).tolist() == [0]
    # Features may be a clip short of the video.
    assert interval_clips(20.0, 23.0, 11, 2.0).tolist() == [10]


def test_saliency():
    scores = np.array([0.0, 0.3, 0.5, 1.0])
    assert saliency_of(scores).tolist() == scores.tolist()
    expected = [np.e, np.e, np.exp(1.25), np.exp(2.5)]
    np.testing.assert_allclose(saliency_of(scores, 'exponential'), expected)
    assert saliency_of(scores, 'exponential').max() == pytest.approx(12.18, abs=0.01)


def test_record():
    record = make_record('x', 23.0, (10.0, 20.0), 'a dog', np.array([5, 6]), np.array([0.25, 0.5]))
    assert record == {
        'qid': 'x_10_20', 'query': 'a dog', 'vid': 'x', 'duration': 23.0, 'split': 'train',
        'relevant_windows': [[10.0, 20.0]], 'relevant_clip_ids': [5, 6],
        'saliency_scores': [[0.25], [0.5]],
    }  # fmt: skip
