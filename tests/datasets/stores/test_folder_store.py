# SPDX-License-Identifier: Apache-2.0
"""Feature files of all published kinds, and every way in which one can be bad."""

import pickle

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
