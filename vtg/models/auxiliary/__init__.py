# SPDX-License-Identifier: Apache-2.0
"""Branches that exist in training only."""

from .clip_text import ClipTextSaliency, GlobalAlignment, LocalAlignment
from .clip_word_correlation import ClipWordCorrelation
from .distillation import MomentumAlignment, MutualPrediction
from .moment_sentence import MomentSentenceAlignment
from .moment_summary import MomentSummarySaliency
from .sampled_nce import SampledNCE
from .video_sentence import VideoSentenceContrast

__all__ = [
    'ClipTextSaliency',
    'ClipWordCorrelation',
    'GlobalAlignment',
    'LocalAlignment',
    'MomentSentenceAlignment',
    'MomentSummarySaliency',
    'MomentumAlignment',
    'MutualPrediction',
    'SampledNCE',
    'VideoSentenceContrast',
]
