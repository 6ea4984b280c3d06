# SPDX-License-Identifier: Apache-2.0
"""Word vectors of queries, read from the file format of GloVe."""

import logging
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from vtg.registry import TRANSFORMS
from vtg.utils import DataError, atomic_write

from .base import FeatureStore


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
        """Read the vectors of all words in the queries and log how many are unknown."""
        words = {word for record in records for word in self._words(record)}
        new = sorted(words - self._vectors.keys())
        lines = _index(self.file)
        with self.file.open('rb') as file:
            for word in sorted(new, key=lambda word: lines.get(word, -1)):
                if word in lines:
                    file.seek(lines[word])
                    self._vectors[word] = self._parse(file.readline())
        unknown = [word for word in new if word not in self._vectors]
        if unknown:
            print_log(
                f'{self.file}: {len(unknown)} of {len(words)} words have no vector, e.g. '
                f'{", ".join(map(repr, unknown[:5]))}; they become zero vectors.',
                logger='current',
                level=logging.INFO,
            )

    def read(self, record: dict[str, Any]) -> np.ndarray:
        words = self._words(record)
        features = np.zeros((max(1, len(words)), self.dim), dtype=np.float32)
        for row, word in enumerate(words):
            if word in self._vectors:
                features[row] = self._vectors[word]
        return features

    def _words(self, record: dict[str, Any]) -> list[str]:
        return tokenize(record['query'], self.literal)

    def _parse(self, line: bytes) -> np.ndarray:
        word, *numbers = line.decode('utf-8').split()
        try:
            vector = np.array(numbers, dtype=np.float32)
        except ValueError:
            vector = np.empty(0)
        if vector.shape != (self.dim,) or not np.isfinite(vector).all():
            raise DataError(
                f'{self.file}: the line of {word!r} does not hold {self.dim} numbers; set dim of '
                'GloveStore or get the file again.'
            )
        return vector

    def __repr__(self) -> str:
        return f'GloveStore({self.file}, dim={self.dim}, literal={self.literal})'


def _index(path: Path) -> dict[str, int]:
    """Return where the line of every word begins, from the cache if it fits the file."""
    cache = path.with_name(path.name + '.index.npz')
    size = path.stat().st_size
    if cache.is_file():
        try:
            with np.load(cache) as stored:
                if int(stored['size']) == size:
                    words = stored['words'].tobytes().decode('utf-8').split('\n')
                    return dict(zip(words, stored['offsets'].tolist()))
        except (OSError, ValueError, KeyError, EOFError):
            pass  # a damaged cache is made again
    index = _scan(path)
    try:
        with atomic_write(cache) as temporary, temporary.open('wb') as file:
            words = np.frombuffer('\n'.join(index).encode('utf-8'), dtype=np.uint8)
            offsets = np.array(list(index.values()), dtype=np.int64)
            np.savez(file, words=words, offsets=offsets, size=np.int64(size))
    except OSError:
        # A folder without write permission: the scan is repeated next time.
        pass
    return index


def _scan(path: Path) -> dict[str, int]:
    index: dict[str, int] = {}
    position = 0
    with path.open('rb') as file:
        for line in file:
            word = line.split(b' ', 1)[0].strip()
            if word:
                index.setdefault(word.decode('utf-8', 'replace'), position)
            position += len(line)
    return index
