# SPDX-License-Identifier: Apache-2.0
"""Feature files of all published kinds, and every way in which one can be bad."""

import pickle
import zipfile

import numpy as np
import pytest
import torch

from vtg.datasets import FolderStore, read_feature_file
from vtg.utils import ConfigError, DataError

ARRAY = np.arange(12, dtype=np.float32).reshape(4, 3)
RECORD = {'vid': 'x.y_0.0_8.0', 'qid': 5}


def _save(folder, suffix, content):
    path = folder / f'x.y_0.0_8.0{suffix}'
    if suffix == '.pt':
        torch.save(content, path)
    elif suffix == '.npy':
        np.save(path, content)
    else:
        np.savez(path, **content)
    return path


@pytest.mark.parametrize(
    ('suffix', 'content'),
    [
        ('.npy', ARRAY),
        ('.npy', ARRAY.astype(np.float16)),
        ('.npy', ARRAY[None]),
        ('.npz', {'features': ARRAY}),
        ('.npz', {'pooler_output': ARRAY[0], 'last_hidden_state': ARRAY.astype(np.float16)}),
        ('.npz', {'text': np.array('a'), 'token': ARRAY}),
        ('.npz', {'anything': ARRAY.astype(np.float64)}),
        ('.pt', torch.from_numpy(ARRAY).bfloat16()),
        ('.pt', {'features': torch.from_numpy(ARRAY)}),
        ('.pt', torch.from_numpy(ARRAY).requires_grad_()),
    ],
)
def test_published_formats(tmp_path, suffix, content):
    _save(tmp_path, suffix, content)
    features = FolderStore(str(tmp_path), dim=3).read(RECORD)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, ARRAY)


def test_real_files(shared):
    folder = shared / 'data' / 'sample_video'
    video = FolderStore(str(folder), pattern='vid', dim=512).read(RECORD)
    text = FolderStore(str(folder), pattern='txt', dim=512).read(RECORD)
    assert video.shape == (15, 512) and text.shape == (12, 512)
    assert video.dtype == text.dtype == np.float32
    assert abs(np.linalg.norm(video, axis=1).mean() - 11) < 1
    assert abs(np.linalg.norm(text, axis=1).mean() - 24) < 4


class _Evil:
    def __reduce__(self):
        return print, ('executed',)


@pytest.mark.parametrize(
    ('suffix', 'content', 'message'),
    [
        ('.npy', np.full((4, 3), np.nan), 'NaN or infinite values in 4 of 4 rows'),
        ('.npy', np.array([[1.0, np.inf, 0], [1, 1, 1]]), 'NaN or infinite values in 1 of 2 rows'),
        ('.npy', np.zeros((0, 3)), 'is empty'),
        ('.npy', np.zeros((4, 5)), 'are 5 wide, expected 3'),
        ('.npy', np.zeros(3), 'expected an array of shape'),
        ('.npy', np.array(['a']), 'does not hold an array of numbers'),
        ('.npz', {}, 'holds no array'),
        ('.pt', [1, 2], 'does not hold an array of numbers'),
    ],
)
def test_bad_content(tmp_path, suffix, content, message):
    path = _save(tmp_path, suffix, content)
    with pytest.raises(DataError) as error:
        FolderStore(str(tmp_path), dim=3).read(RECORD)
    assert message in str(error.value) and str(path) in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('suffix', ['.npz', '.npy', '.pt'])
@pytest.mark.parametrize('share', [0.0, 0.5, 0.95])
def test_truncated_files(tmp_path, suffix, share):
    content = {'features': np.ones((64, 3), np.float32)}
    path = _save(tmp_path, suffix, content if suffix == '.npz' else content['features'])
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match='truncated or of another format') as error:
        FolderStore(str(tmp_path)).read(RECORD)
    assert str(path) in str(error.value) and '\n' not in str(error.value)


@pytest.mark.parametrize('suffix', ['.pt', '.npy'])
def test_files_that_carry_code_are_not_executed(tmp_path, capsys, suffix):
    path = tmp_path / f'x{suffix}'
    if suffix == '.pt':
        torch.save({'features': _Evil()}, path)
    else:
        path.write_bytes(pickle.dumps(_Evil()))
    with pytest.raises(DataError, match='cannot be read'):
        read_feature_file(path)
    assert 'executed' not in capsys.readouterr().out


def test_missing_file_and_unknown_field(tmp_path):
    with pytest.raises(DataError, match=r'x.y_0.0_8.0.npz does not exist'):
        FolderStore(str(tmp_path)).read(RECORD)
    with pytest.raises(ConfigError, match=r"uses 'name', which the annotation lacks.*vid, qid"):
        FolderStore(str(tmp_path), pattern='{name}').read(RECORD)


def test_names_in_subfolders(tmp_path):
    (tmp_path / 'a').mkdir()
    np.save(tmp_path / 'a' / '5.npy', ARRAY)
    store = FolderStore(str(tmp_path), pattern='a/{qid}')
    assert store.missing([RECORD, {'qid': 6}]) == [1]
    assert len(store.read(RECORD)) == 4


@pytest.mark.parametrize(
    'content',
    [
        np.ones((5, 4, 3)), np.ones((4, 1, 3)), np.zeros((0, 4, 3)), np.ones((1, 1, 4, 3)),
        np.ones((4, 3), complex), np.ones((4, 3), bool), np.ones((4, 3), 'm8[s]'),
        np.ones((4, 3), 'M8[s]'), np.array([[1, 'a']], object), np.ones((4, 3), [('a', 'f4')]),
    ],
)  # fmt: skip
def test_arrays_of_another_meaning(tmp_path, content):
    np.save(tmp_path / 'a.npy', content)
    np.savez(tmp_path / 'b.npz', features=content)
    for name in 'ab':
        with pytest.raises(DataError, match=f'{name}.np'):
            FolderStore(str(tmp_path)).read({'vid': name})


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (torch.zeros(1).expand(10**6, 3000), 'repeats its values'),
        ({'features': torch.zeros(1, 3).expand(10**9, 3)}, 'repeats its values'),
        (torch.eye(3).to_sparse(), 'sparse'),
        (torch.eye(3).to_sparse_csr(), 'sparse'),
        (torch.quantize_per_tensor(torch.eye(3), 0.1, 0, torch.qint8), 'quantized'),
        (torch.eye(3, dtype=torch.complex64), 'real numbers'),
        (torch.eye(3) > 0, 'real numbers'),
    ],
)
@pytest.mark.filterwarnings('ignore')
def test_tensors_of_another_kind(tmp_path, content, message):
    path = _save(tmp_path, '.pt', content)
    assert path.stat().st_size < 10_000
    with pytest.raises(DataError, match=message):
        FolderStore(str(tmp_path)).read(RECORD)


def test_headers_and_archives_are_checked_before_memory_is_taken(tmp_path):
    with (tmp_path / 'rows.npy').open('wb') as file:
        header = {'descr': '<f4', 'fortran_order': False, 'shape': (10**12, 8)}
        np.lib.format.write_array_header_1_0(file, header)
    np.savez_compressed(tmp_path / 'zeros.npz', features=np.zeros((20_000, 1000), np.float32))
    with zipfile.ZipFile(tmp_path / 'zeros.pt', 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('archive/data/0', bytes(80_000_000))
    with pytest.raises(DataError, match='the header says'):
        read_feature_file(tmp_path / 'rows.npy')
    for name in ('zeros.npz', 'zeros.pt'):
        with pytest.raises(DataError, match='unpacks'):
            read_feature_file(tmp_path / name)


def test_reference_cases(shared):
    folder = shared / 'cases' / 'features'
    for path in folder.iterdir():
        with pytest.raises(DataError, match=path.stem):
            FolderStore(str(folder), '{vid}', dim=8).read({'vid': path.stem})


def test_of_several_arrays_none_is_guessed(tmp_path):
    """Two arrays without a known name were read as the first of them."""
    arrays = {'mean': np.ones((4, 8), np.float32), 'std': np.zeros((4, 8), np.float32)}
    np.savez(tmp_path / 'two.npz', **arrays)
    torch.save({name: torch.from_numpy(a) for name, a in arrays.items()}, tmp_path / 'three.pt')
    np.savez(tmp_path / 'one.npz', mean=arrays['mean'])
    np.savez(tmp_path / 'known.npz', **arrays, token=2 * arrays['mean'])
    store = FolderStore(str(tmp_path), '{vid}', dim=8)
    for name in ('two', 'three'):
        with pytest.raises(DataError, match=r'holds 2 arrays \(mean, std\), none of them called'):
            store.read({'vid': name})
    assert (store.read({'vid': 'one'}) == 1).all() and (store.read({'vid': 'known'}) == 2).all()


def test_the_pooled_sentence_is_one_row(tmp_path):
    arrays = {'last_hidden_state': np.ones((3, 4)), 'pooler_output': np.arange(5.0)}
    np.savez(tmp_path / 'qid7.npz', **arrays)
    store = FolderStore(str(tmp_path), 'qid{qid}', dim=5, key='pooler_output')
    assert store.pooled and store.read({'qid': 7}).tolist() == [[0, 1, 2, 3, 4]]
    assert FolderStore(str(tmp_path), 'qid{qid}').read({'qid': 7}).shape == (3, 4)
    with pytest.raises(DataError, match="holds no array 'token'"):
        FolderStore(str(tmp_path), 'qid{qid}', key='token').read({'qid': 7})
