# SPDX-License-Identifier: Apache-2.0
"""Losses and loss balancers."""

from .balancers import FixedBalancer
from .detection import QueryClassLoss, SigmoidClassLoss, sigmoid_focal_loss
from .saliency import (
    MarginPairLoss,
    NegativePairLoss,
    RankContrastiveLoss,
    SaliencyBCELoss,
    SaliencyLoss,
    build_saliency_losses,
    masked_mean,
)

__all__ = [
    'FixedBalancer',
    'MarginPairLoss',
    'NegativePairLoss',
    'QueryClassLoss',
    'RankContrastiveLoss',
    'SaliencyBCELoss',
    'SaliencyLoss',
    'SigmoidClassLoss',
    'build_saliency_losses',
    'masked_mean',
    'sigmoid_focal_loss',
]
