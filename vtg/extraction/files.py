# SPDX-License-Identifier: Apache-2.0
"""Finding videos, writing feature files, and refusing to mix two settings in one folder."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtg.datasets.stores.packed_folder import check_target
from vtg.datasets.stores.packed_index import INDEX_FILE
from vtg.utils import (
    ConfigError,
    check_output,
    printable,
    read_json,
    shown,
    write_json,
)

SUFFIXES = ('.mp4', '.mkv', '.webm', '.avi', '.mov', '.m4v', '.flv', '.mpg', '.mpeg', '.ts', '.wmv')
SOUND_SUFFIXES = ('.wav', '.mp3', '.flac', '.ogg', '.opus', '.m4a', '.aac')


def find_videos(paths: Iterable[str | Path], suffixes: Sequence[str] = SUFFIXES) -> dict[str, Path]:
    """Return ``{name: path}``; of folders all files below them with these suffixes, by name.

    A path that does not exist stays in the list, so that its absence is reported with the others.

    Raises:
        ConfigError: A folder holds no video, or two videos have the same name.
    """
    videos: dict[str, Path] = {}
    for path in map(Path, paths):
        found = [path]
        if path.is_dir():
            found = sorted(file for file in path.rglob('*') if file.suffix.lower() in suffixes)
            if not found:
                raise ConfigError(f'{path} holds no video ({", ".join(suffixes)}).')
        for file in found:
            twin = videos.setdefault(file.stem, file)
            if twin != file:
                raise ConfigError(
                    f'{twin} and {file} have the same name, which is the id of the video; rename '
                    'one of them or extract them into different folders.'
                )
    return videos


def stored_query(path: Path) -> str | None:
    """Return the sentence whose features a file holds, None where the file does not say."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return str(arrays['query'])
    # A file of another tool, or a damaged one, which reading its features will name.
    except Exception:
        return None


def check_kind(
    out: str | Path, kind: str, inputs: Iterable[str | Path | None], packed: bool
) -> tuple[Path, Path]:
    """Check where the features ``'video'`` or ``'text'`` go, before anything is computed.

    Args:
        out: The folder of the job.
        kind: Name of the folder in it.
        inputs: What the job reads.
        packed: Whether the features are packed in the end.

    Returns:
        The folder of the feature files and the folder of the result.

    Raises:
        ConfigError: The result would replace something, or mix with what another tool wrote.
    """
    result = Path(out, kind)
    folder = result.with_name(f'{kind}.parts') if packed else result
    inputs = list(inputs)
    for output in {result, folder, Path(out, f'{kind}.json')}:
        check_output(output, inputs)
    if packed:
        check_target(result, folder, force=True)
    elif (result / INDEX_FILE).is_file():
        raise ConfigError(f'{result} is packed; go on with --format packed or in another folder.')
    return folder, result


def keep_settings(
    path: str | Path, settings: dict[str, Any], outputs: Iterable[str | Path] = ()
) -> None:
    """Store the settings of a resumable job in a JSON file, or compare them with those stored.

    Where and in what batches models compute is no setting.

    Args:
        path: The JSON file.
        settings: What the results depend on.
        outputs: Files and folders that the job writes. Where no settings are stored yet they are
            not the job's own, so they have to be absent or empty.

    Raises:
        ConfigError: The folder was written with other settings, of which the first that differs is
            named, or holds what the job did not write.
    """
    path, settings, places = Path(path), _lasting(settings), [Path(output) for output in outputs]
    made = [out for out in places if out.is_file() or (out.is_dir() and any(out.iterdir()))]
    if not path.is_file():
        if made:
            raise ConfigError(
                f'{made[0]} exists, but {path} does not, so it was made in another way and is '
                'left alone; choose another folder.'
            )
        write_json(path, settings)
        return
    stored = read_json(path)
    if not isinstance(stored, dict):
        raise ConfigError(f'{path} holds no settings of this tool; choose another folder.')
    if places and not made:  # the job stopped before it wrote anything
        write_json(path, settings)
        return
    for name in {**settings, **stored}:
        if stored.get(name) != settings.get(name):
            raise ConfigError(
                f'{path.parent} was written with {printable(name)}='
                f'{shown(stored.get(name), 200)}, now it is {shown(settings.get(name), 200)}; use '
                'the same settings to go on, or another folder.'
            )


def _lasting(settings: Any) -> Any:
    if not isinstance(settings, dict):
        return settings
    return {
        name: _lasting(value)
        for name, value in settings.items()
        if name not in ('device', 'batch_size')
    }
