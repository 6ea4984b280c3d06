# SPDX-License-Identifier: Apache-2.0
"""Decoded parts of a file on their way to an encoder."""

from collections import deque
from collections.abc import Iterator
from time import perf_counter
from typing import Any

# Frames that wait for the encoder, and frames per piece; longer videos are decoded piece by piece.
WHOLE_BYTES = 1 << 30
PIECE_BYTES = 1 << 28
_BATCH = 64


def clips_per_piece(bytes_per_clip: int) -> int:
    """How many clips a piece has: full batches of an encoder, so that pieces change no number."""
    clips = PIECE_BYTES // bytes_per_clip
    return clips // _BATCH * _BATCH or max(1, clips)


class Pieces:
    """The pieces of one file, decoded ahead as far as there is room, the others when asked for.

    What a container says about its length is not believed.

    Args:
        source: Decodes piece after piece.

    Raises:
        DataError: The file cannot be decoded, here or while the pieces are iterated over.
    """

    def __init__(self, source: Iterator[Any]) -> None:
        self._seconds = 0.0
        self._source = source
        self._ahead: deque[Any] = deque()
        for _ in range(WHOLE_BYTES // PIECE_BYTES):
            piece = self._decode()
            if piece is None:
                break
            self._ahead.append(piece)

    @property
    def seconds(self) -> float:
        """How long decoding took so far."""
        return self._seconds

    def __iter__(self) -> Iterator[Any]:
        while self._ahead:
            yield self._ahead.popleft()
        while (piece := self._decode()) is not None:
            yield piece

    def _decode(self) -> Any:
        begin = perf_counter()
        piece = next(self._source, None)
        self._seconds += perf_counter() - begin
        return piece
