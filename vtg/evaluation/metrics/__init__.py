# SPDX-License-Identifier: Apache-2.0
"""MMEngine metrics over the pure functions."""

from .base import RecordMetric
from .grounding_metric import GroundingMetric
from .highlight_metric import HighlightMetric
from .moment_retrieval_metric import MomentRetrievalMetric
from .qvhighlights_metric import QVHighlightsMetric

__all__ = [
    'GroundingMetric',
    'HighlightMetric',
    'MomentRetrievalMetric',
    'QVHighlightsMetric',
    'RecordMetric',
]
