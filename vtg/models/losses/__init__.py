# SPDX-License-Identifier: Apache-2.0
"""Losses and loss balancers."""

from .assigned import AssignedPredictions
from .balancers import FixedBalancer, UncertaintyBalancer
from .classification import (
    FocalClassLoss,
    GaussianFocalLoss,
    SigmoidClassLoss,
    SoftmaxClassLoss,
    foreground_log_odds,
    foreground_probability,
    sigmoid_focal_loss,
)
from .clip_score import ClipLabelLoss, ClipScoreLoss, clip_score_distance, min_max
from .cosine import AdaptiveHardLoss, SaliencyCosineLoss
from .moment import MomentLoss, MomentLosses
from .nce import InterVideoNCELoss, IntraVideoNCELoss
from .quality import BestOverlapLoss, CenternessLoss, QualityLoss
from .query_text import QueryTextAlignment
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
from .spans import GIoUSpanLoss, L1SpanLoss, ReferenceOffsetLoss, SmoothL1SpanLoss
from .tokens import token_orthogonality

__all__ = [
    'AdaptiveHardLoss',
    'AssignedPredictions',
    'BestOverlapLoss',
    'CenternessLoss',
    'ClipLabelLoss',
    'ClipScoreLoss',
    'FixedBalancer',
    'FocalClassLoss',
    'GIoUSpanLoss',
    'GaussianFocalLoss',
    'InterVideoNCELoss',
    'IntraVideoNCELoss',
    'L1SpanLoss',
    'MarginPairLoss',
    'MomentLoss',
    'MomentLosses',
    'NegativePairLoss',
    'QualityLoss',
    'QueryTextAlignment',
    'RankContrastiveLoss',
    'ReferenceOffsetLoss',
    'SaliencyBCELoss',
    'SaliencyCosineLoss',
    'SaliencyLoss',
    'SaliencyLosses',
    'SigmoidClassLoss',
    'SmoothL1SpanLoss',
    'SoftmaxClassLoss',
    'UncertaintyBalancer',
    'clip_score_distance',
    'foreground_log_odds',
    'foreground_probability',
    'masked_mean',
    'min_max',
    'probability_cross_entropy',
    'sigmoid_focal_loss',
    'token_orthogonality',
]
