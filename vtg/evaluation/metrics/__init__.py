# SPDX-License-Identifier: Apache-2.0
"""MMEngine metrics over the pure functions."""

from .answerability import GeneralizedRetrievalMetric, UnanswerableMetric
from .base import RecordMetric
from .gather import Evaluated, gather
from .grounding_metric import GroundingMetric
from .highlight_metric import HighlightMetric
from .moment_retrieval_metric import MomentRetrievalMetric
from .multi_moment_metric import MultiMomentMetric
from .qvhighlights_metric import QVHighlightsMetric
from .recall_metric import DiDeMoMetric, RecallMetric

__all__ = [
    'DiDeMoMetric',
    'Evaluated',
    'GeneralizedRetrievalMetric',
    'GroundingMetric',
    'HighlightMetric',
    'MomentRetrievalMetric',
    'MultiMomentMetric',
    'QVHighlightsMetric',
    'RecallMetric',
    'RecordMetric',
    'UnanswerableMetric',
    'gather',
]
