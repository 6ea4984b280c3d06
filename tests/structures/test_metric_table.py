# SPDX-License-Identifier: Apache-2.0
"""Flat names of metrics and their way back."""

import random

import pytest

from vtg.structures import flatten_table, unflatten_table
from vtg.utils import ConfigError

TABLE = {
    'main': {'MR-full-mAP': 1.0, 'MR-full-mAP@0.5': 2.0, 'HL-min-Fair-mAP': 3.0, 'selection': 4.0},
    'detr': {'MR-full-mAP': 5.0, 'MR-full-mAP@0.5': 6.0},
    'soft-nms': {'MR-full-mAP': 7.0},
}


def test_names_as_in_logs_and_back():
    flat = flatten_table(TABLE)
    assert flat['MR-full-mAP@0.5-detr'] == 6.0 and flat['MR-full-mAP-soft-nms'] == 7.0
    assert list(flat)[:4] == list(TABLE['main'])
    back = unflatten_table({f'qvhighlights/{key}': value for key, value in flat.items()})
    assert back == TABLE and list(back) == list(TABLE)
    assert flatten_table({}) == unflatten_table({}) == {}


def test_every_table_comes_back_or_is_refused():
    draw = random.Random(0)
    known, refused = ['a', 'b', 'a-b', 'b-a', 'a-a', 'b-', '-', 'ab'], 0
    for _ in range(2000):
        groups = ['main', *draw.sample(known, draw.randint(0, 2))]
        table = {
            group: dict.fromkeys(draw.sample(known, draw.randint(0, 3)), draw.random())
            for group in groups
        }
        try:
            flat = flatten_table(table)
        except ConfigError:
            refused += 1
            continue
        assert unflatten_table(flat) == {name: found for name, found in table.items() if found}
    assert 200 < refused < 1800


@pytest.mark.parametrize(
    'table',
    [
        {'main': {'a': 1.0, 'a-x': 2.0}},
        {'main': {'a': 1.0, 'a-x': 2.0}, 'x': {'a': 3.0}},
        {'main': {'a': 1.0}, 'x': {'b': 2.0}},
    ],
)
def test_names_that_cannot_be_told_apart(table):
    with pytest.raises(ConfigError, match='cannot be told apart by list'):
        flatten_table(table)
