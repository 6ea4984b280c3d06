# SPDX-License-Identifier: Apache-2.0
"""Pickles of NumPy arrays, in which weights were published before PyTorch had a format of its own.

Reading names what a file needs beyond arrays, numbers, text and containers, and runs none of it.
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

# How the older format of torch.save begins: with a number that stands for it.
_TORCH = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
_PICKLE = b'\x80'


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    """Bytes that Python 3 wrote in the format of Python 2."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'bytes in the encoding {encoding!r}')
    return text.encode(encoding)


# Whole numbers, real and complex ones, and text of fixed length.
_KINDS = 'biufcSU'


class _Kind:
    """The type of an array. NumPy's own would take from a file how its bytes are to be read, and so
    follow pointers that the file makes up."""

    def __init__(self, text: str, *_: Any) -> None:
        self.dtype = np.dtype(str(text))
        if self.dtype.kind not in _KINDS:
            raise pickle.UnpicklingError(f'it holds values of type {self.dtype}')

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(np.ndarray):
    """An array that takes its bytes as numbers or text."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        version, shape, kind, fortran, data = state
        super().__setstate__((version, shape, kind.dtype, fortran, data))


def _empty(*_: Any) -> np.ndarray:
    """An array whose content follows."""
    return np.ndarray.__new__(_Array, (0,), np.uint8)


def _scalar(kind: _Kind, data: bytes | str) -> np.generic:
    """A NumPy number."""
    raw = data.encode('latin1') if isinstance(data, str) else data
    return np.frombuffer(raw, kind.dtype, 1)[0]


_ADMITTED: dict[tuple[str, str], Any] = {
    ('numpy', 'ndarray'): 'the only kind of array',
    ('numpy', 'dtype'): _Kind,
    ('collections', 'OrderedDict'): OrderedDict,
    ('_codecs', 'encode'): _encode,
}
# The places of NumPy 1 and 2.
for _place in ('numpy.core.multiarray', 'numpy._core.multiarray'):
    _ADMITTED[_place, '_reconstruct'] = _empty
    _ADMITTED[_place, 'scalar'] = _scalar


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f'it needs {module}.{name}, which is no array, number or text'
            ) from None


def is_pickle(path: str | Path) -> bool:
    """Whether a file is a bare pickle, and not one of PyTorch's formats."""
    with Path(path).open('rb') as file:
        start = file.read(len(_TORCH))
    return start.startswith(_PICKLE) and start != _TORCH


def read_arrays(path: str | Path) -> Any:
    """Read a pickle of arrays, of Python 2 as well.

    Raises:
        pickle.UnpicklingError: It needs anything else; nothing of it has been run.
    """
    with Path(path).open('rb') as file:
        return _Unpickler(file, encoding='latin1').load()
