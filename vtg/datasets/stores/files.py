# SPDX-License-Identifier: Apache-2.0
"""Reading one feature file as the official repositories publish them, and writing one.

What a file says about itself is compared with what it holds before anything is read: a header of
1e12 rows, an archive that unpacks to a thousand times its size or a tensor that repeats one number
cost no memory.
"""

import os
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from vtg.utils import DataError, atomic_write, printable

SUFFIXES = ('.npz', '.npy', '.pt')
KEYS = ('features', 'last_hidden_state', 'token')
# Bytes of one array: ten hours of clips of one second, 7000 wide.
MOST_BYTES = 1 << 30
# Features hardly shrink; an archive that grows more than this is none.
_MOST_GROWTH = 100
_ANY_GROWTH = 1 << 24


class _NotFeatures(Exception):
    """The file is whole but what it holds cannot be features; the text says why."""


def _pick(names: Collection[str]) -> str:
    """Choose the array of a file: a known key, else the only one; none is guessed."""
    known = next((key for key in KEYS if key in names), None)
    if known is not None:
        return known
    if len(names) != 1:
        found = ', '.join(printable(str(name))[:40] for name in list(names)[:5])
        raise _NotFeatures(
            f'holds {len(names)} arrays ({found}), none of them called {" or ".join(KEYS)}'
            if names
            else 'holds no array'
        )
    return next(iter(names))


def _read_array(file: BinaryIO, size: int) -> np.ndarray:
    """Read ``.npy`` content of ``size`` bytes whose header agrees with its size."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f'npy version {version}')
    _check_numbers(dtype, shape)
    needed, held = dtype.itemsize, size - file.tell()
    for number in shape:
        needed *= int(number)
    if min(shape, default=0) < 0 or needed > held:
        raise ValueError(f'the header says {shape}, {needed} bytes, the file has {held}')
    _check_size(needed)
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _read_archive(path: Path, name: str | None = None) -> np.ndarray:
    with zipfile.ZipFile(path) as archive:
        members = {
            name.removesuffix('.npy'): name for name in archive.namelist() if name.endswith('.npy')
        }
        if name is not None and name not in members:
            raise _NotFeatures(f'holds no array {name!r}')
        member = archive.getinfo(members[name or _pick(members)])
        _check_growth([member])
        with archive.open(member) as file:
            return _read_array(file, member.file_size)  # type: ignore[arg-type]


def _read_tensor(path: Path) -> np.ndarray:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _check_growth(archive.infolist())
    content = torch.load(path, map_location='cpu', weights_only=True)
    if isinstance(content, Mapping):
        content = content[_pick(content)]
    if not isinstance(content, torch.Tensor):
        raise _NotFeatures('does not hold an array of numbers')
    tensor = content.detach()
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested:
        raise _NotFeatures('holds a sparse, quantized or nested tensor, expected a dense one')
    if not (tensor.dtype.is_floating_point or tensor.dtype in _INTEGERS):
        raise _NotFeatures(f'holds values of type {tensor.dtype}, expected real numbers')
    size = tensor.numel() * tensor.element_size()
    if size > tensor.untyped_storage().nbytes():
        raise _NotFeatures(f'repeats its values to {size} bytes, of which it holds a part')
    _check_size(size)
    return (tensor.float() if tensor.dtype.is_floating_point else tensor).numpy()


_INTEGERS = (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8)


def _check_numbers(dtype: np.dtype, shape: tuple[int, ...]) -> None:
    if dtype.kind not in 'fiu':
        known = {'c': 'complex numbers', 'b': 'true and false', 'm': 'time differences'}
        what = known.get(dtype.kind, f'type {printable(dtype.name)[:40]}')
        raise _NotFeatures(f'does not hold an array of numbers but {what}, shape {shape}')


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise _NotFeatures(f'holds an array of {size} bytes, more than features have')


def _check_growth(members: list[zipfile.ZipInfo]) -> None:
    packed = sum(member.compress_size for member in members)
    size = sum(member.file_size for member in members)
    _check_size(size)
    if size > max(_ANY_GROWTH, _MOST_GROWTH * packed):
        raise _NotFeatures(f'unpacks {packed} bytes to {size}')


def read_feature_file(path: str | Path, key: str | None = None) -> np.ndarray:
    """Read the array of a ``.npz``, ``.npy`` or ``.pt`` file in its stored type.

    Files with several arrays give ``features``, ``last_hidden_state`` or ``token``, in this order,
    others must hold only one; ``key`` names another one of a ``.npz`` file. Nothing is unpickled
    but plain tensors and arrays.

    Raises:
        DataError: The file is missing, truncated, contradicts itself or holds something else than
            real numbers.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f'{path} is a folder; expected a feature file, give the path of one.')
    if not path.is_file():
        raise DataError(f'feature file {path} does not exist; add it or remove the record.')
    try:
        if path.suffix == '.npz':
            return _read_archive(path, key)
        if path.suffix == '.pt':
            return _read_tensor(path)
        with path.open('rb') as file:
            return _read_array(file, os.fstat(file.fileno()).st_size)
    except _NotFeatures as error:
        raise DataError(f'{path} {error}; extract the features again.') from None
    # The parsers of zip, npy and pickle fail on damaged bytes with errors of every kind.
    except Exception as error:
        reason = printable((str(error).splitlines() or [''])[0])[:120] or type(error).__name__
        raise DataError(
            f'{path} cannot be read as {path.suffix} features: it is truncated or of another '
            f'format ({reason}); copy or extract it again.'
        ) from None


def write_arrays(path: str | Path, **arrays: Any) -> None:
    """Write a ``.npz`` file, or ``features`` alone as ``.npy``, whole or not at all."""
    path = Path(path)
    with atomic_write(path) as temporary, temporary.open('wb') as file:
        if path.suffix == '.npy':
            np.save(file, arrays['features'])
        else:
            np.savez(file, **arrays)


def stored_number(path: str | Path, name: str) -> float | None:
    """Return the number that a ``.npz`` file holds under ``name``; None where there is no such."""
    path = Path(path)
    if path.suffix != '.npz':
        return None
    try:
        array = _read_archive(path, name)
    # As above; what cannot be read is no number.
    except Exception:
        return None
    return float(array.item()) if array.size == 1 else None
