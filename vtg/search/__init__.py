# SPDX-License-Identifier: Apache-2.0
"""Moments of sentences in many videos: an index of encoded videos, the search, and its exports."""

from .answers import Answer, Moment
from .encoding import EncodedFile, FileEncoder
from .index import VideoIndex
from .searchers import PreparedFile, TrainedSearcher, ZeroShotSearcher

__all__ = [
    'Answer',
    'EncodedFile',
    'FileEncoder',
    'Moment',
    'PreparedFile',
    'TrainedSearcher',
    'VideoIndex',
    'ZeroShotSearcher',
]
