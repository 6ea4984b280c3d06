# SPDX-License-Identifier: Apache-2.0
"""Branches beside the pipeline, most of which exist in training only."""

from .answerability import Answerability
from .clip_text import ClipTextSaliency, GlobalAlignment, LocalAlignment
from .clip_word_correlation import ClipWordCorrelation
from .distillation import MomentumAlignment, MutualPrediction
from .existence import ExistenceHead
from .layer_calibration import LayerCalibration
from .moment_sentence import MomentSentenceAlignment
from .moment_summary import MomentSummarySaliency
from .moment_verification import MomentVerification
from .sampled_nce import SampledNCE
from .video_sentence import VideoSentenceContrast

__all__ = [
    'Answerability',
    'ClipTextSaliency',
    'ClipWordCorrelation',
    'ExistenceHead',
    'GlobalAlignment',
    'LayerCalibration',
    'LocalAlignment',
    'MomentSentenceAlignment',
    'MomentSummarySaliency',
    'MomentVerification',
    'MomentumAlignment',
    'MutualPrediction',
    'SampledNCE',
    'VideoSentenceContrast',
]
