# SPDX-License-Identifier: Apache-2.0
"""An index is believed only where it says what the packing tool could have written."""

import json
import runpy
import sys

import numpy as np
import pytest

from vtg.datasets import PackedStore
from vtg.datasets.stores.packed_index import index_checksum
from vtg.utils import DataError

GOOD = {
    'format': 1, 'dim': 4, 'dtype': '<f4', 'names': ['a', 'b'], 'lengths': [2, 3],
    'data_sha256': '0',
}  # fmt: skip


def _write(folder, **changes):
    (folder / 'features.bin').write_bytes(np.ones((5, 4), '<f4').tobytes())
    index = GOOD | changes
    index['sha256'] = index_checksum(index)
    (folder / 'index.json').write_text(json.dumps(index))


def test_a_good_index(tmp_path):
    _write(tmp_path)
    assert PackedStore(str(tmp_path), dim=4).read({'vid': 'b'}).shape == (3, 4)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'dtype': '|O'}, "dtype is '|O'"),
        ({'dtype': '<i4'}, "dtype is '<i4'"),
        ({'dtype': '>f4'}, "dtype is '>f4'"),
        ({'dtype': ['<f4']}, 'dtype is'),
        ({'dtype': 'O' * 3000}, 'dtype is'),
        ({'dim': -4, 'lengths': [-2, -3]}, 'dim is -4'),
        ({'dim': True}, 'dim is True'),
        ({'dim': 4.0}, 'dim is 4.0'),
        ({'dim': 10**30}, 'dim is 1000'),
        ({'lengths': [10, -5]}, 'lengths must be positive'),
        ({'lengths': [5, 0]}, 'lengths must be positive'),
        ({'lengths': [2, 3.0]}, 'lengths must be positive'),
        ({'lengths': [5]}, '2 names but 1 lengths'),
        ({'lengths': {'a': 2}}, 'must be lists'),
        ({'lengths': [], 'names': []}, 'not empty'),
        ({'names': ['a', 'a']}, 'different texts'),
        ({'names': ['a', ['b']]}, 'different texts'),
        ({'names': ['a', 2]}, 'different texts'),
        ({'lengths': [2, 4]}, 'expected 96'),
        ({'data_sha256': 3}, 'data_sha256'),
        ({'data_file': '../features.bin'}, 'data_file is'),
        ({'data_file': 7}, 'data_file is'),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, changes, message):
    _write(tmp_path, **changes)
    with pytest.raises(DataError) as error:
        PackedStore(str(tmp_path)).read({'vid': 'b'})
    assert message in str(error.value) and len(str(error.value)) < 600


def test_values_that_are_not_finite_are_refused(tmp_path):
    _write(tmp_path)
    data = np.ones((5, 4), '<f4')
    data[4, 1] = np.nan
    (tmp_path / 'features.bin').write_bytes(data.tobytes())
    store = PackedStore(str(tmp_path))
    assert store.read({'vid': 'a'}).shape == (2, 4)
    with pytest.raises(DataError, match=r"'b'.*NaN"):
        store.read({'vid': 'b'})


def test_a_pack_that_is_replaced_while_it_is_open(tmp_path):
    _write(tmp_path)
    store = PackedStore(str(tmp_path))
    assert store.missing([{'vid': 'a'}]) == []
    (tmp_path / 'features.bin').write_bytes(b'')
    with pytest.raises(DataError, match='changed after it was opened'):
        store.read({'vid': 'a'})


def test_the_reference_case(shared, tmp_path, monkeypatch):
    case = shared / 'cases' / 'packed_object_dtype.py'
    monkeypatch.setattr(sys, 'argv', [str(case), str(tmp_path / 'pack')])
    with pytest.raises(DataError, match='dtype'):
        runpy.run_path(str(case))
