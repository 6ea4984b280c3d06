# SPDX-License-Identifier: Apache-2.0
"""Saliency heads and moment heads."""

from .atss_head import ATSSHead, DenseOutputs
from .boundary import PointOutputs
from .clip_offset_head import ClipOffsetHead, ClipOutputs
from .hybrid_head import HybridHead
from .light_saliency import LightSaliencyHead
from .local_saliency import CosineSaliencyHead, SentencePooling
from .pyramid_head import PyramidHead
from .queries import LearnedQueries, LearnedSlots, PyramidQuerySelector, QueryProposals
from .query_alignment import QueryTextAlignment
from .query_head import ExtraQueries, QueryHead, QueryOutputs
from .query_losses import ExtraTargets, QueryPredictions, QuerySetLoss
from .saliency import (
    ContextProductSaliencyHead,
    LinearSaliencyHead,
    LocalSaliency,
    LocalToGlobalSaliencyHead,
    SupervisedSaliencyHead,
)
from .text_cosine import TextCosineSaliencyHead

__all__ = [
    'ATSSHead',
    'ClipOffsetHead',
    'ClipOutputs',
    'ContextProductSaliencyHead',
    'CosineSaliencyHead',
    'DenseOutputs',
    'ExtraQueries',
    'ExtraTargets',
    'HybridHead',
    'LearnedQueries',
    'LearnedSlots',
    'LightSaliencyHead',
    'LinearSaliencyHead',
    'LocalSaliency',
    'LocalToGlobalSaliencyHead',
    'PointOutputs',
    'PyramidHead',
    'PyramidQuerySelector',
    'QueryHead',
    'QueryOutputs',
    'QueryPredictions',
    'QueryProposals',
    'QuerySetLoss',
    'QueryTextAlignment',
    'SentencePooling',
    'SupervisedSaliencyHead',
    'TextCosineSaliencyHead',
]
