# SPDX-License-Identifier: Apache-2.0
"""Errors of the machine are one sentence that says what is safe; bugs are none."""

import errno
import os

import pytest
import torch

from vtg.utils import DataError
from vtg.utils.endings import sentence_of

SAFE = 'all is whole, go on'


class OutOfMemoryError(RuntimeError):
    """Named as that of PyTorch."""


@pytest.mark.parametrize('number', sorted(errno.errorcode))
def test_every_error_of_the_system_is_a_sentence(number):
    sentence = sentence_of(OSError(number, os.strerror(number), 'a/b.pth'), SAFE)
    assert sentence.startswith('a/b.pth: ') and sentence.endswith('.')
    assert len(sentence) < 300 and '\n' not in sentence


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (OSError(errno.ENOSPC, 'x', 'a.pth'), ('a.pth: the disk is full', SAFE)),
        (OSError(errno.EROFS, 'x', 'a.pth'), ('the file system is read-only',)),
        (PermissionError(errno.EACCES, 'x', 'a.pth'), ('permission denied', 'choose another')),
        (IsADirectoryError(errno.EISDIR, 'x', b'a'), ('a: it is a folder where a file is',)),
        (Exception('Error while serializing: I/O error: No space left on device (os error 28)'),
         ('the disk is full', SAFE)),
        (OSError('4096 requested and 17 written'), ('the disk is full', SAFE)),
        (UnicodeEncodeError('utf-8', 'a/v\udcff.mp4', 3, 4, 'x'), (r'v\udcff.mp4', 'rename the')),
        (OSError(errno.EACCES, 'x', 'a' * 5000), ('...aaa', 'permission denied')),
        (MemoryError('Unable to allocate 7.45 GiB for'), ('memory ran out (asked for 7.45 GiB)',)),
        (OutOfMemoryError('CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0'),
         ('the memory of the GPU ran out (asked for 20.00 MiB)', 'batch_size', SAFE)),
        (RuntimeError('CUDA error: out of memory'), ('the memory of the GPU',)),
        (RuntimeError('DataLoader worker (pid 31) is killed by signal: Killed. '),
         ('a loader worker (process 31) was killed', 'num_workers', SAFE)),
        (RuntimeError('DataLoader worker (pid(s) 31, 32) exited unexpectedly'),
         ('a loader worker (process 31, 32)', 'num_workers', SAFE)),
        (RuntimeError('DataLoader timed out after 300 seconds'),
         ('for 300 seconds', 'train_dataloader.timeout', SAFE)),
        (RuntimeError("worker is out of shared memory. Please try to raise your shared memory."),
         ('/dev/shm', SAFE)),
        (RuntimeError('unable to resize file </torch_7_1> to the right size: File too large'),
         ('/dev/shm', SAFE)),
        (RuntimeError('unable to write to file </torch_7_1_0>: No space left on device (28)'),
         ('/dev/shm', SAFE)),
        (RuntimeError('unable to open shared memory object </torch_7> : Too many open files (24)'),
         ('ulimit -n', 'num_workers', SAFE)),
        (RuntimeError('received 0 items of ancdata'), ('ulimit -n', 'num_workers', SAFE)),
        (RuntimeError('Too many open files. Communication with the workers is no longer possible.'),
         ('ulimit -n', 'num_workers', SAFE)),
        (PermissionError(
            'Caught PermissionError in DataLoader worker process 0.\nOriginal Traceback:\n'
            "  File x\nPermissionError: [Errno 13] Permission denied: 'f/a.npz'\n"),
         ('f/a.npz: permission denied',)),
        (DataError('Caught DataError in DataLoader worker process 0.\n  x\nDataError: a.\nb.\n'),
         ('a.\nb.',)),
    ],
)  # fmt: skip
def test_what_is_said(error, words):
    sentence = sentence_of(error, SAFE)
    assert sentence.endswith('.') and len(sentence) < 1500
    for word in words:
        assert word in sentence


def test_memory_of_this_machine():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**17)
    assert sentence_of(caught.value, SAFE).startswith('memory ran out (asked for 4')


@pytest.mark.parametrize(
    'error', [KeyError('x'), RuntimeError('shape mismatch'), OSError('of a library'), ValueError()]
)
def test_a_bug_is_none(error):
    assert sentence_of(error, SAFE) is None


def test_torch_save_on_a_full_disk():
    with pytest.raises(RuntimeError) as caught:
        torch.save({'a': torch.zeros(100_000)}, '/dev/full')
    assert sentence_of(caught.value, SAFE).startswith('a checkpoint: the disk is full')
