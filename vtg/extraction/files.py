# SPDX-License-Identifier: Apache-2.0
"""Finding videos, writing feature files, and refusing to mix two settings in one folder."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from vtg.utils import ConfigError, atomic_write, read_json, write_json

SUFFIXES = ('.mp4', '.mkv', '.webm', '.avi', '.mov', '.m4v', '.flv', '.mpg', '.mpeg', '.ts', '.wmv')


def find_videos(paths: Iterable[str | Path]) -> dict[str, Path]:
    """Return ``{name: path}``; of folders all video files below them, by name.

    A path that does not exist stays in the list, so that its absence is reported with the others.

    Raises:
        ConfigError: A folder holds no video, or two videos have the same name.
    """
    videos: dict[str, Path] = {}
    for path in map(Path, paths):
        found = [path]
        if path.is_dir():
            found = sorted(file for file in path.rglob('*') if file.suffix.lower() in SUFFIXES)
            if not found:
                raise ConfigError(f'{path} holds no video ({", ".join(SUFFIXES)}).')
        for file in found:
            twin = videos.setdefault(file.stem, file)
            if twin != file:
                raise ConfigError(
                    f'{twin} and {file} have the same name, which is the id of the video; rename '
                    'one of them or extract them into different folders.'
                )
    return videos


def write_arrays(path: Path, **arrays: Any) -> None:
    """Write a ``.npz`` file, whole or not at all."""
    with atomic_write(path) as temporary, temporary.open('wb') as file:
        np.savez(file, **arrays)


def keep_settings(path: str | Path, settings: dict[str, Any]) -> None:
    """Store the settings of a resumable job in a JSON file, or compare them with those stored.

    Where and in what batches models compute is no setting.

    Raises:
        ConfigError: The folder was written with other settings; names the first that differs.
    """
    path, settings = Path(path), _lasting(settings)
    if not path.is_file():
        write_json(path, settings)
        return
    stored = read_json(path)
    for name in {**settings, **stored}:
        if stored.get(name) != settings.get(name):
            raise ConfigError(
                f'{path.parent} was written with {name}={stored.get(name)!r}, now it is '
                f'{settings.get(name)!r}; use the same settings to go on, or another folder.'
            )


def _lasting(settings: Any) -> Any:
    if not isinstance(settings, dict):
        return settings
    return {
        name: _lasting(value)
        for name, value in settings.items()
        if name not in ('device', 'batch_size')
    }
