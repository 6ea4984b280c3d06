# SPDX-License-Identifier: Apache-2.0
"""Reading one feature file as the official repositories publish them."""

import pickle
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vtg.utils import DataError

SUFFIXES = ('.npz', '.npy', '.pt')
KEYS = ('features', 'last_hidden_state', 'token')

_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    RuntimeError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
)


def _pick(arrays: Mapping[str, Any], path: Path) -> Any:
    """Choose the array of a file that holds several: a known key, else the first."""
    name = next((key for key in KEYS if key in arrays), next(iter(arrays), None))
    if name is None:
        raise DataError(f'{path} holds no array; write the features again.')
    return arrays[name]


def _load(path: Path) -> Any:
    if path.suffix == '.npy':
        return np.load(path, allow_pickle=False)
    if path.suffix == '.npz':
        with np.load(path, allow_pickle=False) as arrays:
            return _pick(arrays, path)
    content = torch.load(path, map_location='cpu', weights_only=True)
    content = _pick(content, path) if isinstance(content, Mapping) else content
    return content.detach().float().numpy() if isinstance(content, torch.Tensor) else content


def read_feature_file(path: str | Path) -> np.ndarray:
    """Read the array of a ``.npz``, ``.npy`` or ``.pt`` file in its stored type.

    Files with several arrays give ``features``, ``last_hidden_state`` or ``token``, in this order,
    else their first array. Nothing is unpickled but plain tensors and arrays.

    Raises:
        DataError: The file is missing, truncated or holds something else than numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f'feature file {path} does not exist; add it or remove the record.')
    try:
        features = _load(path)
    except _BROKEN as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f'{path} cannot be read as {path.suffix} features: it is truncated or of another '
            f'format ({reason[:120]}); copy or extract it again.'
        ) from None
    if not isinstance(features, np.ndarray) or not np.issubdtype(features.dtype, np.number):
        raise DataError(f'{path} does not hold an array of numbers; extract the features again.')
    return features
