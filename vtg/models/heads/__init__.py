# SPDX-License-Identifier: Apache-2.0
"""Saliency heads and moment heads."""

from .dense import (
    ATSSHead,
    ClipOffsetHead,
    ClipOutputs,
    DenseHead,
    DenseOutputs,
    PointHead,
    PointOutputs,
    PyramidDenseHead,
)
from .hybrid_head import HybridHead
from .query import (
    ExtraQueries,
    ExtraTargets,
    LearnedQueries,
    LearnedSlots,
    PyramidQuerySelector,
    QueryHead,
    QueryOutputs,
    QueryPredictions,
    QueryProposals,
    QuerySource,
)
from .saliency import (
    ContextProductSaliencyHead,
    CosineSaliencyHead,
    LightSaliencyHead,
    LinearSaliencyHead,
    LocalSaliency,
    LocalToGlobalSaliencyHead,
    SentencePooling,
    SupervisedSaliencyHead,
    TextCosineSaliencyHead,
)

__all__ = [
    'ATSSHead',
    'ClipOffsetHead',
    'ClipOutputs',
    'ContextProductSaliencyHead',
    'CosineSaliencyHead',
    'DenseHead',
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
    'PointHead',
    'PointOutputs',
    'PyramidDenseHead',
    'PyramidQuerySelector',
    'QueryHead',
    'QueryOutputs',
    'QueryPredictions',
    'QueryProposals',
    'QuerySource',
    'SentencePooling',
    'SupervisedSaliencyHead',
    'TextCosineSaliencyHead',
]
