# SPDX-License-Identifier: Apache-2.0
"""Writing the packed folder that :class:`PackedStore` reads."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vtg.utils import ConfigError, DataError

from .base import check_features
from .files import SUFFIXES, read_feature_file
from .packed import DATA_FILE, FORMAT, INDEX_FILE, index_checksum


@dataclass
class PackResult:
    """What was packed: counts of arrays and rows, bytes of data, and the problems by file."""

    arrays: int = 0
    rows: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list)


@contextmanager
def _new_folder(out: Path, force: bool) -> Iterator[Path]:
    """Give a temporary folder beside ``out`` that takes its place on success."""
    if out.exists() and not force:
        raise ConfigError(f'{out} exists already; choose another folder or pass --force.')
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f'.{out.name}.'))
    os.chmod(folder, 0o755)
    try:
        yield folder
        if out.exists():
            old = folder.with_name(folder.name + '.old')
            os.replace(out, old)
            os.replace(folder, out)
            shutil.rmtree(old)
        else:
            os.replace(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


def _read(path: Path, dim: int | None, dtype: np.dtype) -> np.ndarray:
    features = check_features(read_feature_file(path), str(path), dim)
    with np.errstate(over='ignore'):
        stored = features.astype(dtype)
    if not np.isfinite(stored).all():
        raise DataError(f'{path} has values beyond the range of {dtype.name}; use --dtype float32.')
    return stored


def _write_rows(
    paths: list[Path], file: BinaryIO, dim: int | None, dtype: np.dtype, step: Callable[[], object]
) -> tuple[dict, PackResult]:
    result, digest = PackResult(), hashlib.sha256()
    names: list[str] = []
    lengths: list[int] = []
    for path in paths:
        try:
            features = _read(path, dim, dtype)
        except DataError as error:
            result.problems.append(str(error))
        else:
            dim = features.shape[1]
            content = features.tobytes()
            file.write(content)
            digest.update(content)
            names.append(path.stem)
            lengths.append(len(features))
        step()
    result.arrays, result.rows, result.size = len(names), sum(lengths), file.tell()
    index = {'format': FORMAT, 'dim': dim, 'dtype': dtype.str, 'names': names, 'lengths': lengths}
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
) -> PackResult:
    """Pack the feature files of ``folder`` into ``out``, completely or not at all.

    Args:
        folder: The folder of feature files.
        out: The folder to write.
        pattern: Which files to take, as a glob.
        dtype: ``'float16'`` or ``'float32'``.
        dim: Expected width; None takes that of the first readable file.
        skip_bad: Leave bad files out instead of refusing.
        force: Replace an existing ``out``.
        on_start: Called with the number of files; returns what is called after each file.

    Raises:
        DataError: The folder is missing or empty, or a file is bad and ``skip_bad`` is off.
        ConfigError: ``out`` exists and ``force`` is off.
    """
    paths = feature_files(Path(folder), pattern)
    with _new_folder(Path(out), force) as temporary:
        with (temporary / DATA_FILE).open('wb') as file:
            stored_type = np.dtype(dtype).newbyteorder('<')
            index, result = _write_rows(paths, file, dim, stored_type, on_start(len(paths)))
        if not result.arrays or (result.problems and not skip_bad):
            listed = '\n  '.join(result.problems[:20])
            raise DataError(
                f'{len(result.problems)} of {len(paths)} files in {folder} are bad; nothing was '
                f'written. Repair them or leave them out with --skip-bad:\n  {listed}'
            )
        index['sha256'] = index_checksum(index)
        (temporary / INDEX_FILE).write_text(json.dumps(index), encoding='utf-8')
    return result
