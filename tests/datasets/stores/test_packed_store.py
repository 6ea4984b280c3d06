# SPDX-License-Identifier: Apache-2.0
"""Packed features equal the files they were made from, and damage is noticed."""

import json
import pickle

import numpy as np
import pytest
from torch.utils.data import DataLoader

from vtg.datasets import FolderStore, JoinedStore, PackedStore, collate, pack_features
from vtg.utils import ConfigError, DataError

RECORDS = [{'vid': f'v.{i}_0.0_9.0'} for i in range(4)]


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / 'files'
    source.mkdir()
    rng = np.random.default_rng(0)
    for i, record in enumerate(RECORDS):
        np.savez(source / f'{record["vid"]}.npz', features=rng.normal(size=(3 + i, 5)))
    return source


@pytest.mark.parametrize(('dtype', 'tolerance'), [('float32', 0), ('float16', 2e-3)])
def test_packed_equals_folder(folder, tmp_path, dtype, tolerance):
    result = pack_features(folder, tmp_path / 'packed', dtype=dtype)
    assert (result.arrays, result.rows) == (4, 3 + 4 + 5 + 6)
    packed = PackedStore(str(tmp_path / 'packed'), dim=5, verify=True)
    files = FolderStore(str(folder))
    assert packed.missing([*RECORDS, {'vid': 'none'}]) == [4]
    for record in reversed(RECORDS):
        features = packed.read(record)
        assert features.dtype == np.float32
        np.testing.assert_allclose(features, files.read(record), atol=tolerance)
    revived = pickle.loads(pickle.dumps(packed))
    assert revived._data is None
    np.testing.assert_array_equal(revived.read(RECORDS[0]), packed.read(RECORDS[0]))


@pytest.mark.parametrize('part', [slice(None), slice(1, 3), slice(2, 9), slice(7, 9)])
@pytest.mark.parametrize('row_shape', [(), (2, 5)])
def test_a_part_is_a_part_of_the_whole(tmp_path, part, row_shape):
    rows = np.random.default_rng(0).normal(size=(4, *row_shape, 3)).astype(np.float32)
    (tmp_path / 'files').mkdir()
    np.save(tmp_path / 'files' / 'v0.npy', rows)
    pack_features(tmp_path / 'files', tmp_path / 'packed', dtype='float32', row_shape=row_shape)
    packed = PackedStore(str(tmp_path / 'packed'), row_shape=row_shape, dim=3)
    stream = {'type': 'PackedStore', 'folder': str(tmp_path / 'packed'), 'row_shape': row_shape}
    joined = JoinedStore([stream, stream])
    for store, whole in ((packed, rows), (joined, np.concatenate([rows, rows], axis=-1))):
        found = store.read_part({'vid': 'v0'}, part)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, whole[part])


def test_rows_outside_a_part_stay_unread(folder, tmp_path):
    pack_features(folder, tmp_path / 'packed', dtype='float32')
    packed = PackedStore(str(tmp_path / 'packed'))
    whole = packed.read(RECORDS[3])
    packed._data = np.array(packed._data)
    packed._data[-1] = np.nan  # the last of its six rows
    np.testing.assert_array_equal(packed.read_part(RECORDS[3], slice(2, 5)), whole[2:5])
    with pytest.raises(DataError, match='NaN or infinite values in 1 of 4 rows'):
        packed.read_part(RECORDS[3], slice(2, 6))


@pytest.mark.parametrize('context', ['fork', 'spawn'])
def test_a_dataset_reads_the_same_batch_from_both(disk, tmp_path, context):
    pack_features(disk.video, tmp_path / 'pv', dtype='float32')
    pack_features(disk.text, tmp_path / 'pt', dtype='float32')
    packed = disk.build(
        video=dict(type='PackedStore', folder=str(tmp_path / 'pv')),
        text=dict(type='PackedStore', folder=str(tmp_path / 'pt'), pattern='qid{qid}'),
    )
    loader = DataLoader(
        packed, 3, num_workers=1, collate_fn=collate, multiprocessing_context=context
    )
    files = disk.build()
    expected, batch = collate([files[i] for i in range(3)]), next(iter(loader))
    for name in ('video', 'text', 'video_mask', 'duration'):
        assert (expected[name] == batch[name]).all()


def test_damage_is_noticed(folder, tmp_path):
    out = tmp_path / 'packed'
    pack_features(folder, out)
    data, index = out / 'features.bin', out / 'index.json'
    content, text = data.read_bytes(), index.read_text()

    data.write_bytes(content[:-2])
    with pytest.raises(DataError, match=r'features.bin has 178 bytes, expected 180'):
        PackedStore(str(out)).read(RECORDS[0])
    data.write_bytes(content[:-2] + b'\0\1')
    PackedStore(str(out)).read(RECORDS[0])
    with pytest.raises(DataError, match='does not match its checksum'):
        PackedStore(str(out)).verify()
    with pytest.raises(DataError, match='does not match its checksum'):
        PackedStore(str(out), verify=True).missing(RECORDS)
    data.unlink()
    with pytest.raises(DataError, match='missing or truncated'):
        PackedStore(str(out)).read(RECORDS[0])

    data.write_bytes(content)
    changed = json.loads(text)
    changed['names'][0] = 'another'
    index.write_text(json.dumps(changed))
    with pytest.raises(DataError, match=r'index.json does not match its checksum'):
        PackedStore(str(out)).read(RECORDS[0])
    index.write_text('[]')
    with pytest.raises(DataError, match='not an index of format 1'):
        PackedStore(str(out)).read(RECORDS[0])


def test_wrong_width_and_unknown_name(folder, tmp_path):
    pack_features(folder, tmp_path / 'packed')
    with pytest.raises(DataError, match='are 5 wide, expected 7'):
        PackedStore(str(tmp_path / 'packed'), dim=7).missing(RECORDS)
    with pytest.raises(DataError, match="no features named 'none'"):
        PackedStore(str(tmp_path / 'packed')).read({'vid': 'none'})
    assert 'tools/pack_features.py' in PackedStore(str(tmp_path / 'nothing')).absent()


def test_bad_files_are_refused_or_left_out(folder, tmp_path):
    np.save(folder / 'nan.npy', np.full((2, 5), np.nan))
    np.save(folder / 'wide.npy', np.zeros((2, 6)))
    np.save(folder / 'zero.npy', np.zeros((0, 5)))
    np.save(folder / 'large.npy', np.full((2, 5), 1e6))
    (folder / 'cut.npz').write_bytes(b'PK')
    (folder / 'notes.txt').write_text('not a feature file')
    out = tmp_path / 'packed'
    with pytest.raises(DataError) as error:
        pack_features(folder, out, dim=5)
    message = str(error.value)
    assert message.startswith('5 of 9 files') and '--skip-bad' in message
    for words in ('nan.npy', 'NaN', '6 wide', 'empty', 'cut.npz', 'large.npy', 'float32'):
        assert words in message
    assert [path.name for path in tmp_path.iterdir()] == ['files']

    result = pack_features(folder, out, dim=5, skip_bad=True)
    assert result.arrays == 4 and len(result.problems) == 5
    assert PackedStore(str(out)).missing(RECORDS) == []


def test_an_existing_folder_is_replaced_only_when_told_to(folder, tmp_path):
    out = tmp_path / 'packed'
    pack_features(folder, out)
    with pytest.raises(ConfigError, match='--force'):
        pack_features(folder, out)
    (folder / f'{RECORDS[0]["vid"]}.npz').unlink()
    pack_features(folder, out, force=True)
    assert PackedStore(str(out)).missing(RECORDS) == [0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ['files', 'packed']


def test_two_files_of_one_name_are_ambiguous(folder, tmp_path):
    np.save(folder / f'{RECORDS[0]["vid"]}.npy', np.zeros((2, 5)))
    with pytest.raises(DataError, match='have the same name'):
        pack_features(folder, tmp_path / 'packed')
    assert pack_features(folder, tmp_path / 'packed', pattern='*.npz').arrays == 4
    with pytest.raises(DataError, match='does not exist'):
        pack_features(tmp_path / 'nowhere', tmp_path / 'p')
    with pytest.raises(DataError, match=r'holds no \*.pt file'):
        pack_features(folder, tmp_path / 'p', pattern='*.pt')
