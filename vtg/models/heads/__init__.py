# SPDX-License-Identifier: Apache-2.0
"""Saliency heads and moment heads."""

from .atss_head import ATSSHead, DenseOutputs
from .hybrid_head import HybridHead
from .local_saliency import CosineSaliencyHead, SentencePooling
from .queries import LearnedQueries, PyramidQuerySelector, QueryProposals
from .query_head import ExtraQueries, QueryHead, QueryOutputs
from .query_losses import ExtraTargets, QueryPredictions, QuerySetLoss
from .saliency import LocalSaliency, LocalToGlobalSaliencyHead, SupervisedSaliencyHead

__all__ = [
    'ATSSHead',
    'CosineSaliencyHead',
    'DenseOutputs',
    'ExtraQueries',
    'ExtraTargets',
    'HybridHead',
    'LearnedQueries',
    'LocalSaliency',
    'LocalToGlobalSaliencyHead',
    'PyramidQuerySelector',
    'QueryHead',
    'QueryOutputs',
    'QueryPredictions',
    'QueryProposals',
    'QuerySetLoss',
    'SentencePooling',
    'SupervisedSaliencyHead',
]
