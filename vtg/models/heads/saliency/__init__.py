# SPDX-License-Identifier: Apache-2.0
"""Heads that score clips."""

from .clip_heads import (
    ContextProductSaliencyHead,
    LinearSaliencyHead,
    LocalSaliency,
    LocalToGlobalSaliencyHead,
    SupervisedSaliencyHead,
)
from .light_saliency import LightSaliencyHead
from .local_saliency import CosineSaliencyHead, SentencePooling
from .text_cosine import TextCosineSaliencyHead

__all__ = [
    'ContextProductSaliencyHead',
    'CosineSaliencyHead',
    'LightSaliencyHead',
    'LinearSaliencyHead',
    'LocalSaliency',
    'LocalToGlobalSaliencyHead',
    'SentencePooling',
    'SupervisedSaliencyHead',
    'TextCosineSaliencyHead',
]
