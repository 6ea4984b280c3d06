# SPDX-License-Identifier: Apache-2.0
"""Word vectors of queries, read from the file format of GloVe."""

import contextlib
import logging
import string
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from vtg.registry import TRANSFORMS
from vtg.utils import DataError, shown

from .base import FeatureStore
from .files import write_arrays

# A word and 300 numbers take 4 kB.
_LONGEST_LINE = 1 << 20


def tokenize(query: str, literal: bool = False) -> list[str]:
    """Split at white space and lower the case; without ``literal`` strip punctuation as well.

    Every query of Charades-STA ends with a full stop that is glued to the last word, so
    ``literal``, which is what the code of CG-DETR, FlashVTG and VideoLights does, makes that word
    unknown.
    """
    words = query.lower().split()
    if literal:
        return words
    return [word for word in (word.strip(string.punctuation) for word in words) if word]


@TRANSFORMS.register_module()
class GloveStore(FeatureStore):
    """One vector per word of the query, ``(N, dim)``; unknown words are zero vectors.

    The file (``glove.6B.300d.txt``: a word and its numbers per line) is scanned once; where its
    lines begin is kept beside it in ``<file>.index.npz``. After that only the words that the
    queries contain are read. The papers use the vectors unnormalised (``normalize_text=False``)
    and all words of a query (``max_text_tokens=None``).

    Args:
        file: The vectors.
        dim: Their width.
        literal: See :func:`tokenize`.
        features_from: Where the file can be had, quoted when it is missing.
    """

    dim: int

    def __init__(
        self,
        file: str,
        dim: int = 300,
        literal: bool = False,
        features_from: str | None = 'https://nlp.stanford.edu/projects/glove',
    ) -> None:
        super().__init__('{qid}', dim, features_from)
        self.file = Path(file)
        self.literal = literal
        self._vectors: dict[str, np.ndarray] = {}

    def absent(self) -> str | None:
        if self.file.is_file():
            return None
        origin = f' (from {self.features_from})' if self.features_from else ''
        return f'word vectors {self.file}{origin}'

    def prepare(self, records: Sequence[dict[str, Any]], clip_length: float) -> None:
        """Read the vectors of all words in the queries and log how many are unknown.

        Raises:
            DataError: The file is damaged, or gives a vector to none of the words.
        """
        words = {word for record in records for word in self._words(record)}
        new = sorted(words - self._vectors.keys())
        try:
            self._look_up(new, _index(self.file))
        except _StaleIndex:
            self._look_up(new, _index(self.file, again=True))
        if words and not any(self._vectors[word].any() for word in words & self._vectors.keys()):
            raise DataError(
                f'{self.file} has a vector for none of the {len(words)} words of the queries, e.g. '
                f'{shown(min(words))}; all features would be zero. Is it a file of word vectors in '
                'UTF-8, and whole? Get it again.'
            )
        unknown = [word for word in new if word not in self._vectors]
        if unknown:
            listed = ', '.join(map(shown, unknown[:5]))
            print_log(
                f'{self.file}: {len(unknown)} of {len(words)} words have no vector, e.g. '
                f'{listed}; they become zero vectors.',
                logger='current',
                level=logging.INFO,
            )

    def _look_up(self, words: Sequence[str], lines: dict[str, int]) -> None:
        with self.file.open('rb') as file:
            for word in sorted(words, key=lambda word: lines.get(word, -1)):
                if word in lines:
                    file.seek(lines[word])
                    self._vectors[word] = self._parse(file.readline(_LONGEST_LINE), word)

    def read(self, record: dict[str, Any]) -> np.ndarray:
        words = self._words(record)
        features = np.zeros((max(1, len(words)), self.dim), dtype=np.float32)
        for row, word in enumerate(words):
            if word in self._vectors:
                features[row] = self._vectors[word]
        return features

    def _words(self, record: dict[str, Any]) -> list[str]:
        return tokenize(record['query'], self.literal)

    def _parse(self, line: bytes, word: str) -> np.ndarray:
        if _word(line) != word:
            raise _StaleIndex
        numbers = line.split()[1:]
        vector = np.empty(0)
        with contextlib.suppress(ValueError), np.errstate(over='ignore'):
            vector = np.array(numbers, dtype=np.float32)
        if vector.shape != (self.dim,) or not np.isfinite(vector).all():
            raise DataError(
                f'{self.file}: the line of {shown(word)} does not hold {self.dim} numbers; set dim '
                'of GloveStore or get the file again.'
            )
        return vector

    def __repr__(self) -> str:
        return f'GloveStore({self.file}, dim={self.dim}, literal={self.literal})'


class _StaleIndex(Exception):
    """A line does not begin where the cached index says."""


def _index(path: Path, again: bool = False) -> dict[str, int]:
    """Return where the line of every word begins, from the cache if it fits the file."""
    cache = path.with_name(path.name + '.index.npz')
    size = path.stat().st_size
    stored = None if again else _cached(cache, size)
    if stored is not None:
        return stored
    index = _scan(path)
    try:
        words = np.frombuffer('\n'.join(index).encode('utf-8'), dtype=np.uint8)
        offsets = np.array(list(index.values()), dtype=np.int64)
        write_arrays(cache, words=words, offsets=offsets, size=np.int64(size))
    except OSError:
        # A folder without write permission: the scan is repeated next time.
        pass
    return index


def _cached(cache: Path, size: int) -> dict[str, int] | None:
    """Read the cached index of a file of ``size`` bytes; None where it is absent or damaged."""
    if not cache.is_file():
        return None
    # Whatever is wrong with a cache, it is made again.
    with contextlib.suppress(Exception), zipfile.ZipFile(cache) as archive:
        # A word and its offset take less than the line; more is no index of this file.
        if sum(member.file_size for member in archive.infolist()) > 16 * size + 4096:
            return None
        with np.load(cache, allow_pickle=False) as stored:
            words = stored['words'].tobytes().decode('utf-8').split('\n')
            offsets = stored['offsets']
            fits = (
                int(stored['size']) == size
                and offsets.dtype == np.int64
                and offsets.shape == (len(words),)
                and bool(((offsets >= 0) & (offsets < size)).all())
            )
            return dict(zip(words, offsets.tolist())) if fits else None
    return None


def _scan(path: Path) -> dict[str, int]:
    index: dict[str, int] = {}
    position = 0
    with path.open('rb') as file:
        while line := file.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise DataError(
                    f'{path} has a line of more than {_LONGEST_LINE:,} bytes at byte {position:,}; '
                    'it is no file of word vectors, get it again.'
                )
            word = _word(line)
            if word:
                index.setdefault(word, position)
            position += len(line)
    return index


def _word(line: bytes) -> str:
    """The word of a line; bytes that are no UTF-8 are replaced, so that no query has it."""
    return line.split(b' ', 1)[0].strip().decode('utf-8', 'replace').replace('\n', ' ')
