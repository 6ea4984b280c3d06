# SPDX-License-Identifier: Apache-2.0
"""Which folder may be packed into, and how a pack is replaced without a moment without one.

The data of a new pack get a name that the index does not name yet, and then the index is replaced:
one rename. Killed before it, a process leaves the old pack, killed after it, the new one.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vtg.utils import ConfigError, DataError, check_output, hold, remove_leftovers

from .packed_index import DATA_FILE, DATA_NAME, INDEX_FILE, data_path, read_index

# Locked while a process packs; one that nobody holds says that a process was killed.
MARKER = '.packing'
_TEMPORARY = r'(?:index\.json|features(?:\.[0-9a-f]{16})?\.bin)'
_LEFTOVER = re.compile(rf'\.{_TEMPORARY}\.[a-z0-9_]{{8}}')


def check_target(out: Path, source: Path, force: bool) -> None:
    """Check that nothing but an earlier pack would be replaced by packing ``source`` into ``out``.

    Raises:
        ConfigError: ``out`` holds something else, or a pack and ``force`` is off, or it equals,
            contains or lies inside ``source``.
    """
    check_output(out, [source])
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise ConfigError(f'{out} is no folder; choose another name for the packed features.')
    entries = sorted(os.listdir(out))
    packed = packed_index(out) is not None
    known = {MARKER}
    if packed or (MARKER in entries and INDEX_FILE not in entries):
        known |= {name for name in entries if name == INDEX_FILE or DATA_NAME.fullmatch(name)}
    foreign = [name for name in entries if name not in known and not _LEFTOVER.fullmatch(name)]
    if foreign:
        raise ConfigError(
            f'{out} exists already and holds {foreign[0]!a}, which is no part of packed features '
            'that can be read; choose another folder, or delete this one yourself if nothing in it '
            'is needed.'
        )
    if packed and not force:
        raise ConfigError(f'{out} exists already; choose another folder or pass --force.')


def packed_index(folder: Path) -> dict[str, Any] | None:
    """Return the index of a folder that :func:`~vtg.datasets.stores.pack_features` wrote, None if
    it did not."""
    try:
        return read_index(folder)
    except (DataError, OSError):
        return None


@contextlib.contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Hold a folder that :func:`check_target` passed; on the way out only a whole pack stays.

    Raises:
        ConfigError: Another process packs into it.
    """
    created = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    with (out / MARKER).open('w') as marker:
        if hold(marker.fileno()) is False:
            raise ConfigError(f'another process is packing into {out}; wait for it.')
        clean(out)
        try:
            yield
        finally:
            clean(out)
            (out / MARKER).unlink(missing_ok=True)
            if created:
                with contextlib.suppress(OSError):  # it holds the pack
                    out.rmdir()


def clean(out: Path) -> None:
    """Delete data that no index names and the temporary files of killed processes."""
    remove_leftovers(out, _TEMPORARY)
    index = packed_index(out)
    if index is None and (out / INDEX_FILE).exists():
        return  # an index that cannot be read now says nothing about the data
    kept = None if index is None else data_path(out, index).name
    for name in os.listdir(out):
        if name != kept and DATA_NAME.fullmatch(name):
            (out / name).unlink()


def new_data_name(out: Path) -> str:
    """Return a name for new data that the present index does not use."""
    return f'features.{secrets.token_hex(8)}.bin' if (out / DATA_FILE).exists() else DATA_FILE
