# SPDX-License-Identifier: Apache-2.0
"""What stands for a modality that data do not have."""

from vtg.datasets.stores import BlankStore


def test_every_record_has_one_row_of_zeros():
    store = BlankStore(dim=3)
    record = {'qid': 1, 'query': 'dog', 'vid': 'a'}
    assert store.read(record).tolist() == [[0, 0, 0]]
    assert not store.missing([record]) and store.absent() is None
