# SPDX-License-Identifier: Apache-2.0
"""Whether a folder of feature files should be packed: measured, not guessed."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from vtg.utils import DataError

from .base import FeatureStore, check_features
from .files import read_feature_file
from .folder import FolderStore
from .packed import PackedStore
from .packing import pack_features

MANY, SMALL, SAMPLE = 500, 1 << 20, 32
"""Files of a folder that is worth packing, their mean size in bytes at most, and how many of them
are read to measure it."""
_GAIN = 1.5


def packing_advice(stores: Sequence[FeatureStore], many: int = MANY) -> list[str]:
    """Name the packing command for every folder of many small files that packing makes faster.

    :data:`SAMPLE` of the files are read from the folder and from a packed copy of them in a
    temporary folder, both once before the time is taken, so that neither waits for the disk.

    Args:
        stores: Of a dataset; others than folders of files are passed over.
        many: Fewer files are not worth it.

    Returns:
        One sentence per folder, with the measured times.
    """
    texts = []
    folders = {store.folder: store for store in stores if isinstance(store, FolderStore)}
    for folder, store in folders.items():
        files = _small_files(store, many)
        if not files:
            continue
        try:
            plain, packed = _times(files[:: max(1, len(files) // SAMPLE)][:SAMPLE])
        except (DataError, OSError):
            continue  # The dataset itself says what is wrong with a file.
        if plain > _GAIN * packed:
            texts.append(
                f'{folder} holds {len(files):,} small files: reading one takes '
                f'{1e3 * plain:.2f} ms, packed {1e3 * packed:.2f} ms (measured on {SAMPLE} of '
                f'them). Pack them once: python tools/pack_features.py {folder} {folder}_packed, '
                f"and read them with type='PackedStore', folder='{folder}_packed'."
            )
    return texts


def _small_files(store: FolderStore, many: int) -> list[Path]:
    """The files of a folder by name; none where they are few, large or not one per name."""
    if not store.folder.is_dir():
        return []
    names = sorted(name for name in os.listdir(store.folder) if name.endswith(store.suffixes))
    files = [store.folder / name for name in names]
    sample = files[:: max(1, len(files) // SAMPLE)][:SAMPLE]
    if len(files) < many or sum(file.stat().st_size for file in sample) > SMALL * len(sample):
        return []
    return files


def _times(files: Sequence[Path]) -> tuple[float, float]:
    """Seconds per file from the folder and from a packed copy."""
    with tempfile.TemporaryDirectory() as temporary:
        links = Path(temporary) / 'files'
        links.mkdir()
        for file in files:
            (links / file.name).symlink_to(file.resolve())
        pack_features(links, Path(temporary) / 'packed')
        store = PackedStore(str(Path(temporary) / 'packed'))

        def read_files() -> None:
            for file in files:
                check_features(read_feature_file(file), str(file), None)

        def read_packed() -> None:
            for file in files:
                store.read({'vid': file.stem})

        return _seconds(read_files) / len(files), _seconds(read_packed) / len(files)


def _seconds(work: Callable[[], None], repeats: int = 3) -> float:
    """The fastest of some runs behind one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
