# SPDX-License-Identifier: Apache-2.0
"""The known faults of annotations: what is found and what becomes of them."""

import random

import pytest

from vtg.datasets.annotations import record_problems
from vtg.datasets.repair import (
    FAULTS,
    Tolerance,
    for_training,
    record_faults,
    repaired,
    says_no_moment,
    window_faults,
)
from vtg.utils import ConfigError

REPAIR = Tolerance('repair')


def record(*windows, duration=20.0, **more):
    return {
        'qid': 1, 'query': 'a dog', 'vid': 'v', 'duration': duration,
        'relevant_windows': [list(window) for window in windows], **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ('window', 'faults', 'mended', 'trained'),
    [
        ((2, 8), [], [[2, 8]], [[2, 8]]),
        ((2, 20 + 1e-14), ['float_noise'], [[2, 20]], [[2, 20]]),
        ((2, 20.0009), ['float_noise'], [[2, 20]], [[2, 20]]),
        ((2, 20.01), ['over_end'], [[2, 20]], [[2, 20]]),
        ((-1, 5), ['before_start'], [[0, 5]], [[0, 5]]),
        ((8, 4), ['reversed'], [[4, 8]], [[4, 8]]),
        # One clip around the centre, and within the video.
        ((5, 5), ['zero_length'], [[5, 5]], [[4, 6]]),
        ((0, 0), ['zero_length'], [[0, 0]], [[0, 2]]),
        ((19.9, 19.9), ['zero_length'], [[19.9, 19.9]], [[18, 20]]),
        ((5, 5.0005), ['shorter_than_1_ms'], [[5, 5.0005]], [[4.00025, 6.00025]]),
        # What is cut to nothing is no longer than what had no length.
        ((19.9999, 23), ['over_end'], [[19.9999, 20]], [[18, 20]]),
        # It cannot be hit, and teaches nothing.
        ((20, 22), ['outside'], [[20, 20]], None),
        ((25, 25), ['outside', 'zero_length'], [[20, 20]], None),
        # Swapped, the window begins within the video.
        ((25, 12), ['outside', 'reversed'], [[12, 20]], [[12, 20]]),
    ],
)
def test_windows(window, faults, mended, trained):
    assert list(window_faults(*window, 20)) == faults
    found = repaired(record(window), REPAIR, 2.0)
    assert found['relevant_windows'] == mended
    assert not list(record_problems(found, ('relevant_windows',), 2.0))
    result = for_training(found, 2.0)
    windows = None if result is None else result['relevant_windows']
    assert windows == (trained if trained is None else [pytest.approx(w) for w in trained])


def test_a_window_of_several_is_left_out():
    found = repaired(record((25, 27), (1, 3)), REPAIR, 2.0)
    assert found['relevant_windows'] == [[1, 3]] and 'unreachable' not in found


def test_a_video_shorter_than_a_clip():
    found = for_training(repaired(record((1, 1), duration=1.5), REPAIR, 2.0), 2.0)
    assert found['relevant_windows'] == [[0, 1.5]]


def test_reversed_windows_may_be_dropped():
    tolerance = Tolerance('repair', reversed_windows='drop')
    assert repaired(record((8, 4)), tolerance, 2.0) is None
    assert tolerance.done('reversed') == 'records left out'


@pytest.mark.parametrize(
    'said',
    [
        {'relevant_windows': []},
        {'relevant_windows': [[0.0, 0.001]], 'no_answer': True},
        {'relevant_windows': [[0, 0]], 'relevant_clip_ids': [], 'saliency_scores': [[]]},
    ],
)
def test_no_moment_in_every_spelling(said):
    null = {**record(), **said}
    assert says_no_moment(null, REPAIR)
    found = repaired(null, REPAIR, 2.0)
    assert found['relevant_windows'] == [] and 'unreachable' not in found
    assert found.get('saliency_scores', []) == []
    expected = [] if said['relevant_windows'] == [] else ['other_no_moment']
    assert list(record_faults(null, REPAIR, 2.0)) == expected
    labels = ('relevant_windows', 'relevant_clip_ids', 'saliency_scores')
    assert not list(record_problems(found, labels, 2.0))


def test_a_window_at_zero_is_a_window_unless_said_otherwise():
    assert not says_no_moment(record((0, 0)), REPAIR)
    assert says_no_moment(record((0, 0)), Tolerance('repair', zero_window='no_moment'))


@pytest.mark.parametrize(
    ('query', 'faults', 'mended'),
    [
        (' a  dog\n', ['outer_whitespace', 'newline_in_query', 'double_spaces'], 'a dog'),
        ('a\ndog', ['newline_in_query'], 'a dog'),
        (' ', ['empty_query', 'outer_whitespace'], None),
        ('\u200b\u2060', ['empty_query'], None),
        (None, ['entries_without_query'], None),
    ],
)
def test_queries(query, faults, mended):
    asked = record((2, 8), query=query)
    assert list(record_faults(asked, REPAIR, 2.0)) == faults
    found = repaired(asked, REPAIR, 2.0)
    assert (None if found is None else found['query']) == mended


def test_clips_outside_the_video_are_left_out_with_their_scores():
    scores = [[1, 2], [3, 4], [0, 0]]
    graded = record((6, 20), relevant_clip_ids=[3, 9, 10], saliency_scores=scores)
    assert list(record_faults(graded, REPAIR, 2.0)) == ['clips_outside']
    found = repaired(graded, REPAIR, 2.0)
    assert found['relevant_clip_ids'] == [3, 9] and found['saliency_scores'] == scores[:2]


@pytest.mark.parametrize('value', [None, 5, 'x', [[1]], [[1, 'a']], [1, 2], [[float('nan'), 2]]])
def test_what_is_no_known_fault_is_left_as_it_is(value):
    for name in ('relevant_windows', 'relevant_clip_ids', 'saliency_scores', 'duration'):
        if (name, value) == ('duration', 5):
            continue
        strange = {**record((2, 8)), name: value}
        assert not list(record_faults(strange, REPAIR, 2.0))
        assert repr(repaired(strange, REPAIR, 2.0)) == repr(strange)


def test_mended_records_are_correct_and_stay_as_they_are():
    rng = random.Random(0)
    for _ in range(300):
        points = [rng.choice([0, 5, 20, 20.0005, 20.3, -1, rng.uniform(-5, 30)]) for _ in range(6)]
        asked = record(*zip(points[::2], points[1::2]), query=' a dog ')
        found = repaired(asked, REPAIR, 2.0)
        assert not list(record_problems(found, ('relevant_windows',), 2.0)), asked
        assert repaired(found, REPAIR, 2.0)['relevant_windows'] in (
            found['relevant_windows'], [w for w in found['relevant_windows'] if w[0] < 20],
        )  # fmt: skip
        trained = for_training(found, 2.0)
        for start, end in [] if trained is None else trained['relevant_windows']:
            assert 0 <= start < end <= 20


def test_unknown_values_are_refused():
    for wrong in (dict(windows='lax'), dict(qid='new'), dict(unusable='right')):
        with pytest.raises(ConfigError, match=f'{next(iter(wrong))} of the dataset is'):
            Tolerance(**wrong)
    assert set(FAULTS) >= {'float_noise', 'over_end', 'outside', 'reversed', 'zero_length'}
