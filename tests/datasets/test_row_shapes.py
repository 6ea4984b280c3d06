# SPDX-License-Identifier: Apache-2.0
"""Features whose rows have axes of their own, from the file to the batch."""

import numpy as np
import pytest
import torch

from vtg.datasets import SimulatedDataset, collate
from vtg.datasets.features import append_tef, normalize_rows
from vtg.datasets.stores import FolderStore, PackedStore, check_features, pack_features
from vtg.utils import DataError


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / 'features'
    folder.mkdir()
    for name, rows in (('a', 3), ('b', 5)):
        np.save(folder / f'{name}.npy', rng.normal(size=(rows, 2, 4, 6)).astype('float16'))
    return folder


def test_folder_and_pack_give_the_same(folder, tmp_path):
    pack_features(folder, tmp_path / 'packed', row_shape=(2, 4))
    for name, rows in (('a', 3), ('b', 5)):
        record = {'vid': name}
        read = FolderStore(str(folder), dim=6, row_shape=(2, 4)).read(record)
        packed = PackedStore(str(tmp_path / 'packed'), dim=6, row_shape=(2, 4)).read(record)
        assert read.shape == (rows, 2, 4, 6) and read.dtype == np.float32
        np.testing.assert_array_equal(read, packed)


def test_other_shapes_are_refused(folder, tmp_path):
    with pytest.raises(
        DataError, match=r'shape \(rows, 4, 2, features\), got shape \(3, 2, 4, 6\)'
    ):
        FolderStore(str(folder), row_shape=(4, 2)).read({'vid': 'a'})
    with pytest.raises(DataError, match='set row_shape of the store'):
        FolderStore(str(folder)).read({'vid': 'a'})
    pack_features(folder, tmp_path / 'packed', row_shape=(2, 4))
    with pytest.raises(DataError, match='48 wide, expected 2 x 3 x 6'):
        PackedStore(str(tmp_path / 'packed'), dim=6, row_shape=(2, 3)).missing([{'vid': 'a'}])
    assert check_features(np.ones((1, 3, 2, 6)), 'x', 6, (2,)).shape == (3, 2, 6)


def test_every_token_is_normalised_and_gets_the_endpoints():
    rows = np.random.default_rng(0).normal(size=(4, 2, 3, 6)).astype(np.float32)
    for index in np.ndindex(2, 3):
        plain = rows[:, index[0], index[1]]
        found = append_tef(normalize_rows(rows))[:, index[0], index[1]]
        np.testing.assert_allclose(found, append_tef(normalize_rows(plain)), rtol=1e-6)


def test_simulated_samples_are_padded_in_front_only():
    video = {'type': 'SimulatedVideo', 'dim': 64, 'row_shape': (2, 4)}
    text = {'type': 'SimulatedText', 'dim': 64, 'row_shape': (2,)}
    dataset = SimulatedDataset(num_samples=3, num_clips=(10, 20), video=video, text=text)
    batch = collate([dataset[index] for index in range(3)])
    size = batch['video_mask'].shape
    assert batch['video'].shape == (*size, 2, 4, 66)
    assert batch['text'].shape == (*batch['text_mask'].shape, 2, 64)
    assert not batch['video'][~batch['video_mask']].any()
    # Layers are other projections, patches other views of one.
    tokens = torch.nn.functional.normalize(batch['video'][0, 0, ..., :64], dim=-1)
    assert tokens[0, 0] @ tokens[0, 1] > tokens[0, 0] @ tokens[1, 0] + 0.2
