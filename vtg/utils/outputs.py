# SPDX-License-Identifier: Apache-2.0
"""Where output may go, so that no file of the user is overwritten or deleted."""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .errors import ConfigError

try:
    import fcntl
except ImportError:  # a system without file locks
    fcntl = None  # type: ignore[assignment]


def check_output(out: str | Path, inputs: Iterable[str | Path | None]) -> Path:
    """Return ``out`` if it can be written, and no input would be touched by that.

    Args:
        out: File or folder that will be written.
        inputs: Files and folders that are read; None stands for none.

    Raises:
        ConfigError: ``out`` equals an input, contains one or lies inside one, or cannot be written.
    """
    place = _real(out)
    for source in inputs:
        if source is None:
            continue
        other = _real(source)
        relation = None
        if place == other or _same(place, other):
            relation = 'is also the input'
        elif place in other.parents:
            relation = f'contains the input {source}'
        elif other in place.parents:
            relation = f'lies inside the input {source}'
        if relation:
            raise ConfigError(
                f'the output {out} {relation}; choose another place, so that nothing that is read '
                'is overwritten.'
            )
    check_place(out)
    return Path(out)


def check_place(out: str | Path) -> None:
    """Find out before the work whether a file or folder can be written; nothing is made.

    Raises:
        ConfigError: A part of the path is a file, or the folder is read-only.
    """
    folder = Path(out).absolute()
    while not folder.is_dir():
        if folder.exists() and folder != Path(out).absolute():
            raise ConfigError(f'{out} cannot be written, {folder} is a file; choose another path.')
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        raise ConfigError(f'{out} cannot be written, {folder} is read-only; choose another path.')


def check_replaceable(out: str | Path, written_here: Callable[[Path], bool], what: str) -> Path:
    """Return ``out`` if it is free, or holds what the same tool wrote earlier.

    Args:
        out: File that will be written.
        written_here: Whether an existing file is such an earlier output; errors count as no.
        what: What the tool writes, for the message.

    Raises:
        ConfigError: Something else is there.
    """
    out = Path(out)
    known = False
    if out.is_file():
        with contextlib.suppress(Exception):
            known = written_here(out)
    if os.path.lexists(out) and not known:
        kind = 'a folder' if out.is_dir() else f'not {what}'
        raise ConfigError(
            f'{out} exists and is {kind}, so it is not overwritten; choose another name or remove '
            'it yourself.'
        )
    return out


def hold(handle: int) -> bool | None:
    """Lock an open file for as long as it stays open.

    Returns:
        False if another process holds it, None where there are no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def leftovers(folder: str | Path, name: str = r'.+') -> Iterator[Path]:
    """Yield the temporary files that killed processes left in ``folder``.

    A temporary file of :func:`vtg.utils.atomic_write` is locked while its writer lives.

    Args:
        folder: Where to look; sub-folders are not searched.
        name: A regular expression of the names of the files that were being written.
    """
    if not os.path.isdir(folder):
        return
    pattern = re.compile(rf'\.(?:{name})\.[a-z0-9_]{{8}}')
    for entry in sorted(os.listdir(folder)):
        path = Path(folder, entry)
        if not pattern.fullmatch(entry) or path.is_symlink() or not path.is_file():
            continue
        with contextlib.suppress(OSError), path.open('r+b') as file:
            if hold(file.fileno()):
                yield path


def remove_leftovers(folder: str | Path, name: str = r'.+') -> None:
    """Delete what :func:`leftovers` finds."""
    for path in leftovers(folder, name):
        with contextlib.suppress(OSError):
            path.unlink()


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))


def _same(one: Path, other: Path) -> bool:
    """Whether both are one file under two names (links, or a system that ignores case)."""
    try:
        return one.samefile(other)
    except OSError:
        return False
