# SPDX-License-Identifier: Apache-2.0
"""Losses and loss balancers."""

from .balancers import FixedBalancer, UncertaintyBalancer
from .clip_score import clip_score_distance, min_max
from .cosine import AdaptiveHardLoss, SaliencyCosineLoss
from .detection import (
    FocalClassLoss,
    QueryClassLoss,
    SigmoidClassLoss,
    SoftmaxClassLoss,
    sigmoid_focal_loss,
)
from .nce import InterVideoNCELoss, IntraVideoNCELoss
from .saliency import (
    MarginPairLoss,
    NegativePairLoss,
    RankContrastiveLoss,
    SaliencyBCELoss,
    SaliencyLoss,
    SaliencyLosses,
    masked_mean,
    probability_cross_entropy,
)
from .tokens import token_orthogonality

__all__ = [
    'AdaptiveHardLoss',
    'FixedBalancer',
    'FocalClassLoss',
    'InterVideoNCELoss',
    'IntraVideoNCELoss',
    'MarginPairLoss',
    'NegativePairLoss',
    'QueryClassLoss',
    'RankContrastiveLoss',
    'SaliencyBCELoss',
    'SaliencyCosineLoss',
    'SaliencyLoss',
    'SaliencyLosses',
    'SigmoidClassLoss',
    'SoftmaxClassLoss',
    'UncertaintyBalancer',
    'clip_score_distance',
    'masked_mean',
    'min_max',
    'probability_cross_entropy',
    'sigmoid_focal_loss',
    'token_orthogonality',
]
