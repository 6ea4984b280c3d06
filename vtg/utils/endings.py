# SPDX-License-Identifier: Apache-2.0
"""What ends a program from outside, in one sentence: files, memory, loader workers."""

import errno
import os
import re

from .errors import VtgError
from .text import shown

_FULL = {
    errno.ENOSPC: 'the disk is full, free some space',
    errno.EDQUOT: 'the disk quota is used up, free some space',
    errno.EFBIG: 'the file would exceed the limit for files, raise it (ulimit -f)',
    errno.EIO: 'the disk reports an input/output error, check it',
}
_REASONS = {
    **_FULL,
    errno.EROFS: 'the file system is read-only, choose another place',
    errno.EACCES: 'permission denied, change the rights or choose another place',
    errno.EPERM: 'the operation is not permitted, change the rights or choose another place',
    errno.EISDIR: 'it is a folder where a file is expected, give the path of a file',
    errno.ENOTDIR: 'a part of the path is a file where a folder is expected, choose another path',
    errno.EEXIST: 'it is a file where a folder is expected, choose another path',
    errno.ENOTEMPTY: 'it is a folder that is not empty, choose another path',
    errno.ENOENT: 'no such file or folder, check the path',
    errno.ENAMETOOLONG: 'the name is too long, choose a shorter one',
    errno.ELOOP: 'its links lead in a circle, correct them',
    errno.EMFILE: 'too many files are open, raise the limit (ulimit -n) or lower num_workers',
    errno.ENFILE: 'too many files are open on this machine, close other programs',
    errno.EAGAIN: 'the system gives no more processes, raise the limit (ulimit -u)',
}
_LONGEST_PATH = 300
# np.save and ndarray.tofile report a full disk without a number.
_SHORT_WRITE = re.compile(r'\d+ requested and \d+ written')
# torch.save has its own writer.
_CUT_SHORT = re.compile(r'PytorchStreamWriter failed writing|inline_container.cc.*unexpected pos')
# What loader workers hand on: the kind in front, the traceback, then the error itself.
_FROM_WORKER = re.compile(r"\[Errno (\d+)\][^\n']*(?:'([^\n]*)')?\s*\Z")
_ALLOCATOR = re.compile(r'DefaultCPUAllocator|can.t allocate memory|std::bad_alloc')
_DEVICE = re.compile(r'(CUDA|MPS|XPU|HIP)( error:)? out of memory|CUBLAS_STATUS_ALLOC_FAILED')
_SIZE = re.compile(r'allocate ([\d.]+ ?\w*)', re.IGNORECASE)
_LOST = re.compile(r'DataLoader worker \(pid\(?s?\)? ([\d, ]+)\)')
# Files in shared memory are named by PyTorch; in a container there is little of it.
_SHARED = re.compile(r'out of shared memory|unable to open shared memory|unable to .*</torch_\d')
_PIPES = f'{os.sep}multiprocessing{os.sep}'
# safetensors has a writer of its own too.
_OF_RUST = re.compile(r'I/O error: .*\(os error (\d+)\)')
_LATE = re.compile(r'DataLoader timed out after (\d+)')


def sentence_of(error: BaseException, safe: str) -> str | None:
    """Say in one sentence what happened and how to go on.

    Args:
        error: What ended the program.
        safe: What is safe and how to go on, added where work was lost.

    Returns:
        None for everything that is neither the user's nor the machine's doing: a bug.
    """
    text = str(error)
    if isinstance(error, VtgError):
        # A loader's worker hands the error on with its whole traceback in front of the sentence.
        return text.rsplit(f'{type(error).__name__}: ', 1)[-1].strip()
    if isinstance(error, MemoryError) or _ALLOCATOR.search(text):
        return (
            f'memory ran out{_size(text)}; close other programs or lower batch_size or '
            f'num_workers of the loaders; {safe}.'
        )
    if type(error).__name__ == 'OutOfMemoryError' or _DEVICE.search(text):
        return (
            f'the memory of the GPU ran out{_size(text)}; lower train_dataloader.batch_size, use '
            f'--amp, or end other programs on it; {safe}.'
        )
    if isinstance(error, OSError | EOFError) and _from_lost_worker(error):
        return _lost_worker('', safe)
    if isinstance(error, OSError):
        return _of_system(error, text, safe)
    if isinstance(error, RuntimeError):
        return _of_torch(text, safe)
    if isinstance(error, UnicodeEncodeError):
        part = error.object[max(0, error.start - 40) : error.end + 20]
        return (
            f'{shown(part, 200)} is no valid Unicode, so it cannot be written; rename the file '
            'that is called so.'
        )
    foreign = _OF_RUST.search(text)
    return _of_system(OSError(int(foreign[1]), text), text, safe) if foreign else None


def _of_system(error: OSError, text: str, safe: str) -> str | None:
    number, path = error.errno, error.filename
    if number is None:
        found = _FROM_WORKER.search(text)
        if found:
            number, path = int(found[1]), found[2]
        elif _SHORT_WRITE.search(text):
            number = errno.ENOSPC
        else:
            return None
    reason = _REASONS.get(number) or f'{os.strerror(number).lower()}, check it'
    place = f'{_short(os.fsdecode(path))}: ' if isinstance(path, str | bytes) else ''
    return f'{place}{reason}{f"; {safe}" if number in _FULL else ""}.'


def _of_torch(text: str, safe: str) -> str | None:
    if _CUT_SHORT.search(text):
        return f'a checkpoint: {_FULL[errno.ENOSPC]} or raise the limit for files; {safe}.'
    late = _LATE.search(text)
    if late:
        return (
            f'no loader worker answered for {late[1]} seconds; check the disk that the features '
            'lie on, or wait longer with --cfg-options +train_dataloader.timeout=SECONDS (or '
            f'val_dataloader, test_dataloader; 0 waits without end); {safe}.'
        )
    if 'Too many open files' not in text and _SHARED.search(text):
        return (
            'the shared memory of datasets and loader workers (/dev/shm) is full; make it larger '
            f'or lower num_workers of the loaders; {safe}.'
        )
    if 'items of ancdata' in text or 'Too many open files' in text:
        return f'{_REASONS[errno.EMFILE]} of the loaders; {safe}.'
    lost = _LOST.search(text)
    return _lost_worker(f' (process {lost[1]})', safe) if lost else None


def _lost_worker(who: str, safe: str) -> str:
    return (
        f'a loader worker{who} was killed or crashed, most often because memory ran out; lower '
        'num_workers or batch_size of the loaders, num_workers=0 reads in the main process; '
        f'{safe}.'
    )


def _from_lost_worker(error: OSError | EOFError) -> bool:
    """Whether a batch of a worker was being fetched that no longer lives."""
    step = error.__traceback__
    while step is not None:
        if _PIPES in step.tb_frame.f_code.co_filename:
            return True
        step = step.tb_next
    return False


def _size(text: str) -> str:
    found = _SIZE.search(text)
    return f' (asked for {found[1].strip()})' if found else ''


def _short(path: str) -> str:
    return path if len(path) <= _LONGEST_PATH else f'...{path[-_LONGEST_PATH:]}'
