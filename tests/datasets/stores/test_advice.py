# SPDX-License-Identifier: Apache-2.0
"""Folders of many small files are named with the command that packs them."""

import numpy as np
import pytest

from vtg.datasets.stores import FolderStore, PackedStore, advice, pack_features, packing_advice


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / 'clip'
    path.mkdir()
    random = np.random.default_rng(0)
    for index in range(40):
        features = random.random((5, 4)).astype(np.float16)
        np.savez(path / f'v{index}.npz', features=features)
    return path


@pytest.fixture
def times(monkeypatch):
    """Set the measured seconds; the measurement runs all the same."""
    original = advice._times

    def use(plain, packed):
        def measure(files):
            assert min(original(files)) > 0 and len(files) == advice.SAMPLE
            return plain, packed

        monkeypatch.setattr(advice, '_times', measure)

    return use


def test_the_command_and_both_times(folder, times):
    times(2e-3, 5e-4)
    store = FolderStore(str(folder))
    (text,) = packing_advice([store, store], many=40)
    assert text.startswith(f'{folder} holds 40 small files: reading one takes 2.00 ms, packed 0.50')
    assert f'python tools/pack_features.py {folder} {folder}_packed' in text
    # What the sentence says works.
    pack_features(folder, f'{folder}_packed')
    packed = PackedStore(f'{folder}_packed')
    np.testing.assert_array_equal(packed.read({'vid': 'v3'}), store.read({'vid': 'v3'}))


def test_nothing_is_said_without_a_gain(folder, times):
    store = FolderStore(str(folder))
    times(1e-3, 9e-4)
    assert packing_advice([store], many=40) == []


def test_few_large_broken_absent_and_packed_are_passed_over(folder, monkeypatch):
    store = FolderStore(str(folder))
    assert packing_advice([store]) == []
    assert packing_advice([FolderStore(str(folder / 'none'))], many=1) == []
    pack_features(folder, f'{folder}_packed')
    assert packing_advice([PackedStore(f'{folder}_packed')], many=1) == []
    monkeypatch.setattr(advice, 'SMALL', 10)
    assert packing_advice([store], many=40) == []
    monkeypatch.undo()
    for path in folder.iterdir():
        path.write_bytes(b'no features')
    assert packing_advice([store], many=40) == []
