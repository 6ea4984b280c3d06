# SPDX-License-Identifier: Apache-2.0
"""Components that change tokens before fusion, or add tokens to it."""

from .context_query import ContextQueryRefinement
from .dummy_encoder import DummyEncoder
from .feature_refinement import FeatureRefinement
from .front_door import FrontDoorEncoder
from .stream_encoder import StreamEncoder
from .video_to_text import VideoToTextAttention
from .weighted_sentence import WeightedSentence

__all__ = [
    'ContextQueryRefinement',
    'DummyEncoder',
    'FeatureRefinement',
    'FrontDoorEncoder',
    'StreamEncoder',
    'VideoToTextAttention',
    'WeightedSentence',
]
