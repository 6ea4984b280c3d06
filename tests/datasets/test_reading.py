# SPDX-License-Identifier: Apache-2.0
"""The stores of a dataset as one reader."""

import numpy as np

from vtg.datasets.reading import FeatureReader


def _reader(disk, **options):
    disk.build(lazy_init=True)
    inner = dict(type='FolderStore', folder='video', dim=6)
    joined = dict(type='JoinedStore', stores=[inner, inner])
    text = dict(type='FolderStore', folder='text', pattern='qid{qid}', dim=4)
    return FeatureReader([inner, joined], text, data_root=str(disk.root), **options)


def test_arrays_come_as_they_are_stored_and_folders_from_the_root(disk):
    reader = _reader(disk)
    record = disk.records[2]
    stored = np.load(disk.video / 'other_0.0_24.0.npz')['features']
    one, two = reader.read_video(record)
    np.testing.assert_array_equal(one, stored)
    np.testing.assert_array_equal(two, np.concatenate([stored, stored], axis=1))
    (text,) = reader.read_text(record)
    assert text.shape == (5, 4) and text.dtype == np.float32
    assert reader.absent() == []


def test_records_without_features_are_named_with_their_store(disk):
    reader = _reader(disk)
    (disk.text / 'qid8.npz').unlink()
    without = reader.prepare(disk.records, 2.0)
    assert list(without) == [1] and without[1] is reader.text[0]
    absent = dict(type='FolderStore', folder='no')
    assert len(FeatureReader(absent, absent).absent()) == 2
