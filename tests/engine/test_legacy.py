# SPDX-License-Identifier: Apache-2.0
"""Pickles of arrays become plain checkpoints, and run nothing."""

import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from vtg.engine.checkpoint import read_checkpoint
from vtg.engine.legacy import convert
from vtg.extraction.encoders.weights import read_tensors
from vtg.utils import CheckpointError

# As Python 2 wrote {'blobs': {'conv1_w': np.arange(3, dtype='<f4') / 2}}, byte strings and all.
PYTHON2 = (
    b"\x80\x02}q\x01U\x05blobsq\x02}q\x03U\x07conv1_wq\x04cnumpy.core.multiarray\n_reconstruct\n"
    b"q\x05cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87Rq\x07(K\x01K\x03\x85cnumpy\ndtype\nq\x08"
    b"U\x02f4K\x00K\x01\x87Rq\t(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    b"U\x0c\x00\x00\x00\x00\x00\x00\x00?\x00\x00\x80?tbss."
)  # fmt: skip


class Evil:
    def __reduce__(self):
        return Path.mkdir, (Path('made'),)


@pytest.mark.parametrize('protocol', (2, 4))
def test_arrays_of_a_pickle(tmp_path, protocol):
    source, target = tmp_path / 'in.pkl', tmp_path / 'out.pth'
    stored = OrderedDict(
        blobs={'w': np.arange(6.0, dtype=np.float32).reshape(2, 3), 'lr': np.float64(0.5)},
        name='r50', raw=b'ab', names=['a', 1, None],
    )  # fmt: skip
    source.write_bytes(pickle.dumps(stored, protocol))
    with pytest.raises(CheckpointError, match='was not read: its content can run code'):
        convert(source, target, trust=False)
    assert convert(source, target, trust=True) == []
    found = torch.load(target, weights_only=True)
    assert found['blobs']['w'].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found['blobs']['lr'] == 0.5 and found['names'] == ['a', 1, None]


def test_pickles_of_python_2(tmp_path):
    (tmp_path / 'in.pkl').write_bytes(PYTHON2)
    with pytest.raises(CheckpointError, match=r'tools/convert_legacy_checkpoint.py'):
        read_checkpoint(tmp_path / 'in.pkl')
    convert(tmp_path / 'in.pkl', tmp_path / 'out.pth', trust=True)
    weights = read_checkpoint(tmp_path / 'out.pth')['blobs']['conv1_w']
    assert weights.tolist() == [0, 0.5, 1] and weights.dtype == torch.float32


def test_a_pickle_runs_nothing_even_if_trusted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for protocol in (2, 4):
        Path('in.pkl').write_bytes(pickle.dumps({'blobs': Evil()}, protocol))
        with pytest.raises(
            CheckpointError, match=r'cannot be read .*it needs [\w.]+(mkdir|getattr|Path)'
        ):
            convert('in.pkl', 'out.pth', trust=True)
    assert not Path('made').exists() and not Path('out.pth').exists()


def pickled(value):
    """The instructions of a pickle that make a plain value."""
    return pickle.dumps(value, 2)[2:-1]


# The type of objects, that says of itself to be one of numbers.
POINTERS = b'cnumpy\ndtype\n' + pickled(('O8', False, True)) + b'R'
POINTERS += pickled((3, '|', None, None, None, -1, -1, 0)) + b'b'
BYTES = b'c_codecs\nencode\n' + pickled(('A' * 16, 'latin1')) + b'R'
NEW = b'cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n' + pickled((0,)) + b'U\x01btR'


@pytest.mark.parametrize(
    'content',
    [
        b'cnumpy\nndarray\n(' + pickled((2,)) + POINTERS + BYTES + b'tR',
        NEW + b'(K\x01' + pickled((2,)) + POINTERS + b'\x89' + BYTES + b'tb',
        b'cnumpy.core.multiarray\nscalar\n(' + POINTERS + BYTES + b'tR',
        b'cnumpy\nndarray\n' + pickled(((10**11,),)) + b'R',
    ],
    ids=['made', 'filled', 'number', 'huge'],
)
def test_no_pointer_of_a_file_is_followed(tmp_path, content):
    """NumPy reads from a pickle how the bytes of a type are to be read, and crashes by it."""
    (tmp_path / 'in.pkl').write_bytes(b'\x80\x02' + content + b'.')
    with pytest.raises(CheckpointError, match='cannot be read'):
        convert(tmp_path / 'in.pkl', tmp_path / 'out.pth', trust=True)
    assert not (tmp_path / 'out.pth').exists()


def test_a_file_that_holds_itself(tmp_path):
    """It is a sentence to the converter, and no search without end for the weights in it."""
    endless: dict = {'epoch': 1}
    endless['model'] = endless
    (tmp_path / 'in.pkl').write_bytes(pickle.dumps(endless, 2))
    torch.save(endless, tmp_path / 'in.pth')
    for name in ('in.pkl', 'in.pth'):
        with pytest.raises(CheckpointError, match=f'{name} cannot be read'):
            convert(tmp_path / name, tmp_path / 'out.pth', trust=True)
    assert not (tmp_path / 'out.pth').exists()
    with pytest.raises(CheckpointError, match='holds no weights'):
        read_tensors(tmp_path / 'in.pth')


def test_files_of_both_formats_of_torch_are_still_read(tmp_path):
    for number, new in enumerate((True, False)):
        source = tmp_path / f'{number}.pth'
        torch.save({'w': torch.ones(2)}, source, _use_new_zipfile_serialization=new)
        convert(source, tmp_path / f'{number}.out', trust=True)
        assert read_checkpoint(tmp_path / f'{number}.out')['w'].tolist() == [1, 1]
