# SPDX-License-Identifier: Apache-2.0
"""Losses and loss balancers."""

from .balancers import FixedBalancer, UncertaintyBalancer
from .detection import (
    FocalClassLoss,
    QueryClassLoss,
    SigmoidClassLoss,
    SoftmaxClassLoss,
    sigmoid_focal_loss,
)
from .saliency import (
    MarginPairLoss,
    NegativePairLoss,
    RankContrastiveLoss,
    SaliencyBCELoss,
    SaliencyLoss,
    build_saliency_losses,
    masked_mean,
    probability_cross_entropy,
)
from .tokens import token_orthogonality

__all__ = [
    'FixedBalancer',
    'FocalClassLoss',
    'MarginPairLoss',
    'NegativePairLoss',
    'QueryClassLoss',
    'RankContrastiveLoss',
    'SaliencyBCELoss',
    'SaliencyLoss',
    'SigmoidClassLoss',
    'SoftmaxClassLoss',
    'UncertaintyBalancer',
    'build_saliency_losses',
    'masked_mean',
    'probability_cross_entropy',
    'sigmoid_focal_loss',
    'token_orthogonality',
]
