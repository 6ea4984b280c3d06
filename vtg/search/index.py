# SPDX-License-Identifier: Apache-2.0
"""A folder of encoded videos, each stored once per content of its file.

INDEX/settings.json            the encoder and the clip length
INDEX/videos.json              every indexed file: size, time of change, digest of its content
INDEX/features/{digest}.npz    what :mod:`vtg.extraction` writes
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vtg.datasets.stores import check_features, read_feature_file, write_arrays
from vtg.datasets.stores.files import stored_number
from vtg.engine.components import check_registered
from vtg.extraction import keep_settings
from vtg.utils import (
    ConfigError,
    DataError,
    check_clip_length,
    read_json,
    remove_leftovers,
    write_json,
)
from vtg.utils.numbers import is_number
from vtg.utils.text import is_unicode

from .encoding import EncodedFile, FileEncoder

_PIECE = 1 << 20
_LONGEST = 1e7
"""Seconds of a video."""


class VideoIndex:
    """An index in a folder.

    Args:
        folder: The folder; :meth:`create` makes one.
        encoder: The encoder that the user names, which may be a program.

    Raises:
        ConfigError: The folder holds no index, or one with a program that the user does not name.
    """

    def __init__(self, folder: str | Path, encoder: dict[str, Any] | None = None) -> None:
        self.folder = Path(folder)
        if not (self.folder / 'settings.json').is_file():
            raise ConfigError(
                f'{folder} is no index of videos; make one with: vtg index FOLDER --out {folder}.'
            )
        settings = read_json(self.folder / 'settings.json')
        if not isinstance(settings, dict) or not {'encoder', 'clip_length'} <= settings.keys():
            raise ConfigError(f'{folder}/settings.json is no file of vtg index; make a new index.')
        # An index may be somebody else's: what it names is built, but no code of theirs is run.
        self.encoder = settings['encoder']
        if not isinstance(self.encoder, dict) or not isinstance(self.encoder.get('type'), str):
            raise ConfigError(f'{folder}/settings.json names no encoder; make a new index.')
        if self.encoder != encoder:
            check_registered({'encoder': self.encoder}, self.folder / 'settings.json')
        self.clip_length = check_clip_length(
            settings['clip_length'], f'clip_length of {folder}/settings.json'
        )
        stored = self.folder / 'videos.json'
        self.videos: dict[str, dict[str, Any]] = read_json(stored) if stored.is_file() else {}
        if not isinstance(self.videos, dict) or not all(map(_is_entry, self.videos.values())):
            raise DataError(f'{stored} is damaged; delete it and run vtg index again.')

    @classmethod
    def create(
        cls, folder: str | Path, encoder: dict[str, Any], clip_length: float
    ) -> 'VideoIndex':
        """Open an index, or make one.

        Raises:
            ConfigError: It was made with another encoder or clip length, or the folder holds
                something else.
        """
        folder = Path(folder)
        keep_settings(
            folder / 'settings.json',
            {'encoder': encoder, 'clip_length': clip_length},
            [folder / 'features', folder / 'videos.json'],
        )
        return cls(folder, encoder)

    def add(
        self,
        paths: Iterable[Path],
        encoder: Callable[[], FileEncoder],
        on_video: Callable[[Path, str], object] = lambda path, what: None,
    ) -> dict[Path, str]:
        """Encode the videos that are not there yet; a stored one costs a look at its file.

        Everything is written as it is made: a killed run loses the video it was at.

        Args:
            paths: Video files.
            encoder: Makes the encoder, which is not needed where nothing is new.
            on_video: Called with every path and what became of it.

        Returns:
            The sentence for every file that could not be encoded.
        """
        remove_leftovers(self.folder)
        remove_leftovers(self.folder / 'features')
        problems: dict[Path, str] = {}
        ready: FileEncoder | None = None
        for path in paths:
            key = str(path.absolute())
            try:
                if not is_unicode(key):
                    raise DataError(f'the name of {path} is no valid UTF-8; rename the file.')
                stamp = stamp_of(path)
                if self._stored(key, stamp):
                    on_video(path, 'there already')
                    continue
                digest = digest_of(path)
                what = 'same content as before'
                if not self._file(digest).is_file():
                    ready = ready or encoder()
                    encoded = ready(path)
                    features = check_features(encoded.features, str(path), None)
                    write_arrays(self._file(digest), features=features, duration=encoded.duration)
                    what = f'{len(encoded.features)} clips'
            except (DataError, OSError) as error:
                problems[path] = str(error)
                on_video(path, str(error))
                if self.videos.pop(key, None):
                    write_json(self.folder / 'videos.json', self.videos)
                continue
            self.videos[key] = {**stamp, 'digest': digest}
            write_json(self.folder / 'videos.json', self.videos)
            on_video(path, what)
        return problems

    def read(self) -> tuple[list[EncodedFile], list[str]]:
        """Read what is stored.

        Returns:
            The videos whose files are as they were when they were encoded, and the others.
        """
        found, changed = [], []
        for key, entry in self.videos.items():
            path = Path(key)
            try:
                same = self._stored(key, stamp_of(path))
            except (DataError, OSError):
                same = False
            if not same:
                changed.append(key)
                continue
            found.append(EncodedFile(path, *self._arrays(entry['digest'])))
        return found, changed

    def _arrays(self, digest: str) -> tuple[np.ndarray, float]:
        file = self._file(digest)
        try:
            features = check_features(read_feature_file(file), str(file), None)
        except DataError as error:
            raise DataError(
                f'{file} is damaged ({str(error).rstrip(".")}); delete it and run vtg index again.'
            ) from None
        duration = stored_number(file, 'duration')
        if not is_number(duration, 1e-3, _LONGEST):
            raise DataError(
                f'{file} is damaged (its duration is {duration}); delete it and run vtg index '
                'again.'
            )
        return features, duration

    def _stored(self, key: str, stamp: dict[str, int]) -> bool:
        entry = self.videos.get(key, {})
        same = all(entry.get(name) == value for name, value in stamp.items())
        return same and self._file(entry['digest']).is_file()

    def _file(self, digest: str) -> Path:
        return self.folder / 'features' / f'{digest}.npz'

    def __iter__(self) -> Iterator[Path]:
        return map(Path, self.videos)

    def __len__(self) -> int:
        return len(self.videos)


def _is_entry(value: Any) -> bool:
    """Whether this is what an index says of a file; the digest becomes the name of one."""
    return (
        isinstance(value, dict)
        and isinstance(value.get('digest'), str)
        and re.fullmatch('[0-9a-f]{32}', value['digest']) is not None
    )


def stamp_of(path: Path) -> dict[str, int]:
    """Size and time of change: as long as they stay, the content is not read again."""
    if not path.is_file():
        raise DataError(f'video {path} does not exist; check the path.')
    stat = path.stat()
    return {'size': stat.st_size, 'changed': stat.st_mtime_ns}


def digest_of(path: Path) -> str:
    """Digest of the content of a file."""
    state = hashlib.blake2b(digest_size=16)
    with path.open('rb') as file:
        while piece := file.read(_PIECE):
            state.update(piece)
    return state.hexdigest()
