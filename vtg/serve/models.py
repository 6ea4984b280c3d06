# SPDX-License-Identifier: Apache-2.0
"""What can be chosen to answer: similarity alone, and trained models."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from vtg.search import Answer, EncodedFile, FileEncoder, TrainedSearcher, ZeroShotSearcher
from vtg.search.encoding import Steps


class Model(Protocol):
    """Encodes a video once and answers sentences about it."""

    def steps(self, path: Path) -> Steps:
        """Encode a file; yields clips done and clips expected, returns what a call takes."""

    def prepare(self, video: EncodedFile) -> Any:
        """Make what a call takes of a video of an index."""

    def __call__(self, videos: Sequence[Any], queries: Sequence[str]) -> list[Answer]:
        """One answer per query; videos of both origins may be mixed."""


class SimilarityModel:
    """Compares clips and sentences by an encoder; nothing is trained.

    Args:
        encoder: Of files and sentences.
    """

    def __init__(self, encoder: FileEncoder) -> None:
        self.encoder = encoder
        self.search = ZeroShotSearcher(encoder.encoder, encoder.clip_length)

    def steps(self, path: Path) -> Steps:
        """See :class:`Model`."""
        return self.encoder.steps(path)

    def prepare(self, video: EncodedFile) -> EncodedFile:
        """See :class:`Model`."""
        return video

    def __call__(self, videos: Sequence[EncodedFile], queries: Sequence[str]) -> list[Answer]:
        """See :class:`Model`."""
        return self.search(videos, queries)


class TrainedModel:
    """Answers with a trained model.

    Args:
        search: The model with its encoders.
        longest: Minutes above which a video is refused.
    """

    def __init__(self, search: TrainedSearcher, longest: float) -> None:
        self.search = search
        self.longest = longest

    def steps(self, path: Path) -> Steps:
        """See :class:`Model`."""
        return self.search.steps(path, self.longest)

    def prepare(self, video: EncodedFile) -> Any:
        """See :class:`Model`."""
        return self.search.prepare(video)

    def __call__(self, videos: Sequence[Any], queries: Sequence[str]) -> list[Answer]:
        """See :class:`Model`."""
        return self.search(videos, queries)
