# SPDX-License-Identifier: Apache-2.0
"""Heads that score clips."""

from .clip_heads import (
    ContextProductSaliencyHead,
    LinearSaliencyHead,
    LocalSaliency,
    LocalToGlobalSaliencyHead,
    SupervisedSaliencyHead,
)
from .feature_cosine import FeatureCosineSaliencyHead
from .light_saliency import LightSaliencyHead
from .local_saliency import CosineSaliencyHead, SentencePooling
from .point_saliency import PointSaliencyHead
from .text_cosine import TextCosineSaliencyHead

__all__ = [
    'ContextProductSaliencyHead',
    'CosineSaliencyHead',
    'FeatureCosineSaliencyHead',
    'LightSaliencyHead',
    'LinearSaliencyHead',
    'LocalSaliency',
    'LocalToGlobalSaliencyHead',
    'PointSaliencyHead',
    'SentencePooling',
    'SupervisedSaliencyHead',
    'TextCosineSaliencyHead',
]
