# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of comparisons."""

import json
import math

import numpy as np
import pytest
import torch
from reference_values.core import (
    ReferenceSet,
    Row,
    compare,
    compare_exact,
    compare_relative,
    largest,
)

from vtg.utils import DataError


def test_a_row_is_compared_failed_or_skipped():
    assert not Row('a', 1e-6, 1e-5).failed
    assert Row('a', 1e-4, 1e-5).failed
    assert Row('a', math.nan, 1e-5).failed
    assert Row('a', 0.0, 0.0).failed is False
    skipped = Row('a', None, note='why')
    assert skipped.skipped and not skipped.failed


def test_differences_are_relative_to_the_largest_stored_value():
    stored = torch.tensor([100.0, 0.0])
    assert compare('a', stored + 1, stored, 0.02).error == pytest.approx(0.01)
    assert compare('a', stored + 1, stored, 0.02, scaled=False).error == pytest.approx(1.0)
    small = torch.tensor([1e-3, 0.0])
    assert compare('a', small + 1e-4, small, 1.0).error == pytest.approx(1e-4, rel=1e-3)


def test_types_of_arrays_do_not_matter():
    for ours in ([1.5, 2.0], np.array([1.5, 2.0]), torch.tensor([1.5, 2.0]).bfloat16()):
        assert compare('a', ours, torch.tensor([1.5, 2.0], requires_grad=True), 0.0).error == 0
    assert compare('a', 3, np.float64(3), 0.0).error == 0
    assert compare('a', [], torch.zeros(0), 0.0).error == 0


def test_other_shapes_fail_with_both_named():
    row = compare('a', torch.zeros(2, 3), torch.zeros(3, 2), 1.0)
    assert row.failed and '(2, 3)' in row.note and '(3, 2)' in row.note
    assert compare('a', torch.zeros(1), torch.tensor(0.0), 1.0).failed


def test_values_that_are_not_finite():
    nan, inf = math.nan, math.inf
    assert not compare('a', [nan, inf, 1.0], [nan, inf, 1.0], 0.0).failed
    assert compare('a', [nan], [1.0], 1e9).failed
    assert compare('a', [1.0], [nan], 1e9).failed
    assert compare('a', [inf], [-inf], 1e9).failed


def test_relative_numbers():
    assert compare_relative('a', 1.01, 1.0, 0.1).error == pytest.approx(0.01)
    assert compare_relative('a', torch.tensor(-2.0), -1.0, 0.1).failed
    assert compare_relative('a', 0.0, 0.0, 1e-3).error == 0
    assert compare_relative('a', math.nan, 1.0, 1e9).failed


@pytest.mark.parametrize(
    ('ours', 'theirs', 'equal'),
    [
        (torch.tensor([1, 2]), np.array([1, 2]), True),
        (torch.tensor([1, 2]), torch.tensor([1, 3]), False),
        (torch.tensor([True]), torch.tensor([True, True]), False),
        ({(1, 2)}, {(1, 2)}, True),
        ({'a': [1.0]}, {'a': [1.5]}, False),
        ('x', 'x', True),
    ],
)
def test_exact(ours, theirs, equal):
    assert compare_exact('a', ours, theirs).failed is not equal


def test_the_largest_error_stands_for_all_and_a_failure_for_more():
    rows = [Row('a', 0.1, 1.0), Row('b', 0.5, 1.0), Row('c', None)]
    assert largest('all', rows) == Row('all', 0.5, 1.0)
    failed = largest('all', [*rows, Row('d', 0.2, 0.1, 'because'), Row('e', math.nan, 1.0)])
    assert failed.failed and failed.error == 0.2
    assert failed.note == '2 of 4 fail: d, e because'
    assert largest('all', iter([Row('c', None, note='why')])) == Row('all', None, note='why')
    assert largest('all', []).skipped


def test_reference_set(tmp_path):
    (tmp_path / 'x.json').write_text(json.dumps({'size': 3}))
    np.savez(tmp_path / 'x.npz', **{'in/a': np.arange(3), 'in/b': np.float32(2.0), 'out/a': [1.0]})
    data = ReferenceSet(tmp_path, 'x')
    assert data.info == {'size': 3}
    assert set(data) == {'in/a', 'in/b', 'out/a'} and len(data) == 3
    assert data['in/b'].shape == () and data['in/a'].tolist() == [0, 1, 2]
    assert set(data.below('in/')) == {'a', 'b'}
    (tmp_path / 'y.json').write_text('{}')
    assert len(ReferenceSet(tmp_path, 'y')) == 0
    with pytest.raises(DataError, match=r'z\.json does not exist'):
        ReferenceSet(tmp_path, 'z')
