# SPDX-License-Identifier: Apache-2.0
"""Writing the packed folder that :class:`~vtg.datasets.stores.PackedStore` reads."""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vtg.utils import ConfigError, DataError, atomic_write, check_choice, write_text

from .base import check_features
from .files import SUFFIXES, read_feature_file
from .packed_folder import check_target, claimed, new_data_name, packed_index
from .packed_index import DATA_FILE, FORMAT, INDEX_FILE, index_checksum


@dataclass
class PackResult:
    """What was packed: counts of arrays and rows, bytes of data, and the problems by file."""

    arrays: int = 0
    rows: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list)


def feature_files(folder: Path, pattern: str = '*') -> list[Path]:
    """Return the feature files of a folder by name; one file per name."""
    if not folder.is_dir():
        raise DataError(f'feature folder {folder} does not exist; check the path.')
    paths = sorted(path for path in folder.glob(pattern) if path.suffix in SUFFIXES)
    if not paths:
        raise DataError(f'{folder} holds no {pattern} file of type {", ".join(SUFFIXES)}.')
    names: dict[str, Path] = {}
    for path in paths:
        twin = names.setdefault(path.stem, path)
        if twin is not path:
            raise DataError(
                f'{twin} and {path} have the same name; select one kind of file with --pattern '
                f"'*{path.suffix}'."
            )
    return paths


def _read(path: Path, dim: int | None, dtype: np.dtype, row_shape: Sequence[int]) -> np.ndarray:
    features = check_features(read_feature_file(path), str(path), dim, row_shape)
    with np.errstate(over='ignore'):
        stored = features.astype(dtype)
    if not np.isfinite(stored).all():
        raise DataError(f'{path} has values beyond the range of {dtype.name}; use --dtype float32.')
    return stored


def _write_rows(
    paths: list[Path],
    file: BinaryIO,
    dim: int | None,
    dtype: np.dtype,
    step: Callable[[], object],
    row_shape: Sequence[int],
) -> tuple[dict, PackResult]:
    result, digest = PackResult(), hashlib.sha256()
    names: list[str] = []
    lengths: list[int] = []
    for path in paths:
        try:
            features = _read(path, dim, dtype, row_shape)
        except DataError as error:
            result.problems.append(str(error))
        else:
            dim = features.shape[-1]
            content = features.tobytes()
            file.write(content)
            digest.update(content)
            names.append(path.stem)
            lengths.append(len(features))
        step()
    result.arrays, result.rows, result.size = len(names), sum(lengths), file.tell()
    size = None if dim is None else dim * math.prod(row_shape)
    index = {'format': FORMAT, 'dim': size, 'dtype': dtype.str, 'names': names, 'lengths': lengths}
    return index | {'data_sha256': digest.hexdigest()}, result


def pack_features(
    folder: str | Path,
    out: str | Path,
    pattern: str = '*',
    dtype: str = 'float16',
    dim: int | None = None,
    skip_bad: bool = False,
    force: bool = False,
    on_start: Callable[[int], Callable[[], object]] = lambda total: lambda: None,
    keep_names: bool = False,
    row_shape: Sequence[int] = (),
) -> PackResult:
    """Pack the feature files of ``folder`` into ``out``, completely or not at all.

    Args:
        folder: The folder of feature files.
        out: The folder to write.
        pattern: Which files to take, as a glob.
        dtype: ``'float16'``, ``'float32'`` or ``'float64'``.
        dim: Expected width; None takes that of the first readable file.
        skip_bad: Leave bad files out instead of refusing.
        force: Replace an earlier pack in ``out``; nothing else is ever replaced.
        on_start: Called with the number of files; returns what is called after each file.
        keep_names: Refuse to replace a pack by one that lacks some of its names.
        row_shape: See :class:`~vtg.datasets.stores.FeatureStore`.

    Raises:
        DataError: The folder is missing or empty, or a file is bad and ``skip_bad`` is off.
        ConfigError: ``out`` exists and ``force`` is off, it is no earlier pack, or it equals,
            contains or lies inside ``folder``.
    """
    folder, out = Path(folder), Path(out)
    check_choice(dtype, ('float16', 'float32', 'float64'), 'dtype')
    check_target(out, folder, force)
    paths = feature_files(folder, pattern)
    if keep_names:
        check_names_kept(out, [path.stem for path in paths])
    with claimed(out):
        name = new_data_name(out)
        with atomic_write(out / name) as temporary, temporary.open('wb') as file:
            stored_type = np.dtype(dtype).newbyteorder('<')
            index, result = _write_rows(
                paths, file, dim, stored_type, on_start(len(paths)), row_shape
            )
            if not result.arrays or (result.problems and not skip_bad):
                raise _bad_files(result.problems, len(paths), folder)
        index |= {} if name == DATA_FILE else {'data_file': name}
        index['sha256'] = index_checksum(index)
        write_text(out / INDEX_FILE, json.dumps(index))
    return result


def _bad_files(problems: list[str], total: int, folder: Path) -> DataError:
    listed = f' {problems[0]}' if len(problems) == 1 else '\n  '.join(['', *problems[:20]])
    return DataError(
        f'{len(problems)} of {total} files in {folder} are bad; nothing was written. Repair them '
        f'or leave them out with --skip-bad:{listed}'
    )


def check_names_kept(out: Path, names: Iterable[str]) -> None:
    """Refuse to lose features: all names of the pack in ``out`` have to be among ``names``.

    Raises:
        ConfigError: Some are not.
    """
    index = packed_index(out)
    lost = set(index['names'] if index else ()) - set(names)
    if lost:
        raise ConfigError(
            f'{out} holds {len(lost)} features whose files are gone, e.g. {min(lost)!a}, and would '
            'lose them by being packed again; choose another folder.'
        )
