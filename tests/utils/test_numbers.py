# SPDX-License-Identifier: Apache-2.0
"""What counts as a number, and how numbers spread."""

import pytest

from vtg.utils import ConfigError, check_clip_length, is_integer, is_number, mean_and_deviation


@pytest.mark.parametrize(
    'value', [True, None, '1', [1], float('nan'), float('inf'), 10**400, -(10**400), 1j]
)
def test_no_numbers(value):
    assert not is_number(value)


def test_numbers_and_ranges():
    assert is_number(3) and is_number(-0.5) and is_number(1e300)
    assert is_number(4, 0, 4) and not is_number(4.5, 0, 4) and not is_number(-5, 0)
    assert is_integer(2**62) and not is_integer(2**62, 0, 100)
    assert not is_integer(True) and not is_integer(1.0) and not is_integer('1')


@pytest.mark.parametrize('value', [0, -1, 1e-9, 1e300, float('nan'), '2', None, True])
def test_clip_lengths(value):
    with pytest.raises(ConfigError, match=r'clip_length is .*; expected seconds per clip'):
        check_clip_length(value)
    assert check_clip_length(2) == 2.0


def test_the_deviation_is_that_of_a_sample():
    assert mean_and_deviation([1, 3]) == (2, pytest.approx(2**0.5))
    assert mean_and_deviation([5]) == (5, None) and mean_and_deviation([]) == (None, None)
