# SPDX-License-Identifier: Apache-2.0
"""Classification losses of moment heads."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.registry import MODELS
from vtg.structures import GroundingState

from .assigned import AssignedPredictions
from .moment import MomentLoss


def sigmoid_focal_loss(
    logits: Tensor, targets: Tensor, alpha: float | None = 0.25, gamma: float = 2.0
) -> Tensor:
    """Focal loss (Lin et al., 2017, eq. 5) of every entry.

    Args:
        logits: ``(...)``.
        targets: ``(...)`` in {0, 1}.
        alpha: Weight of the positives, ``1 - alpha`` of the negatives; None weights all by 1.
        gamma: Focusing exponent.
    """
    probability = logits.sigmoid()
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
    right = probability * targets + (1 - probability) * (1 - targets)
    loss = cross_entropy * (1 - right) ** gamma
    if alpha is not None:
        loss = loss * (alpha * targets + (1 - alpha) * (1 - targets))
    return loss


def foreground_log_odds(logits: Tensor) -> Tensor:
    """Logit ``(...)`` of the foreground's probability.

    Args:
        logits: ``(..., 1)`` of the foreground, or ``(..., 2)`` of foreground and background.
    """
    return logits.squeeze(-1) if logits.shape[-1] == 1 else logits[..., 0] - logits[..., 1]


def foreground_probability(logits: Tensor) -> Tensor:
    """Probability ``(...)`` of the foreground: a sigmoid of one logit, or a softmax over two."""
    if logits.shape[-1] == 1:
        return logits.squeeze(-1).sigmoid()
    return logits.softmax(dim=-1)[..., 0]


class BackgroundWeighted(MomentLoss):
    """Base class of classification losses that weigh the background down.

    Args:
        background_weight: Weight of entries without a moment (DETR's ``eos_coef``).
        weight: Factor of the term.
    """

    def __init__(self, background_weight: float = 0.1, weight: float = 1.0) -> None:
        super().__init__(weight)
        self.background_weight = background_weight


@MODELS.register_module()
class SigmoidClassLoss(BackgroundWeighted):
    """Binary cross-entropy of the foreground; of two logits it takes the difference."""

    num_logits = (1, 2)

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`; the weights do not enter the divisor."""
        logits, positive = foreground_log_odds(assigned.logits), assigned.positive
        target = positive.to(logits.dtype)
        loss = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
        return assigned.label_mean(loss * torch.where(positive, 1.0, self.background_weight))


@MODELS.register_module()
class SoftmaxClassLoss(BackgroundWeighted):
    """Cross-entropy over foreground and background (Moment-DETR, Lei et al., 2021, eq. 3)."""

    num_logits = (2,)

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`; the weights do not enter the divisor."""
        negative_log = -assigned.logits.log_softmax(dim=-1)
        background = self.background_weight * negative_log[..., 1]
        return assigned.label_mean(torch.where(assigned.positive, negative_log[..., 0], background))


@MODELS.register_module()
class FocalClassLoss(MomentLoss):
    """Focal loss of every logit (Lin et al., 2017, eq. 5), the mean where there are two.

    Of two logits, each has target 1 for its own class (TR-DETR, Sun et al., 2024).

    Args:
        alpha: Weight of the targets 1, ``1 - alpha`` of the targets 0; None weighs all by 1.
        gamma: Focusing exponent.
        weight: Factor of the term.
    """

    num_logits = (1, 2)

    def __init__(self, alpha: float | None = 0.25, gamma: float = 2.0, weight: float = 1.0) -> None:
        super().__init__(weight)
        self.alpha = alpha
        self.gamma = gamma

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`."""
        logits, positive = assigned.logits, assigned.positive
        classes = (positive, ~positive)[: logits.shape[-1]]
        target = torch.stack(classes, dim=-1).to(logits.dtype)
        loss = sigmoid_focal_loss(logits, target, self.alpha, self.gamma)
        return assigned.label_mean(loss.mean(dim=-1))


@MODELS.register_module()
class GaussianFocalLoss(MomentLoss):
    """Focal loss with soft targets: entries beside a target cost less the closer they are.

    ``-(1 - p)^2 log p`` where the target y is 1, else ``-(1 - y)^4 p^2 log(1 - p)`` (Law and Deng,
    "CornerNet", 2018, eq. 1; UMT, Liu et al., CVPR 2022, for clips).

    Args:
        alpha: Exponent of the focus, 2 above.
        beta: Exponent of the closeness, 4 above.
        eps: Added within the logarithms.
        weight: Factor of the term.
    """

    needs = ('heat',)
    num_logits = (1,)

    def __init__(
        self, alpha: float = 2.0, beta: float = 4.0, eps: float = 1e-12, weight: float = 1.0
    ) -> None:
        super().__init__(weight)
        self.alpha, self.beta, self.eps = alpha, beta, eps

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`."""
        heat = assigned.heat
        assert heat is not None
        high = foreground_probability(assigned.logits)
        low = 1 - high
        found = -(high + self.eps).log() * low**self.alpha
        other = -(low + self.eps).log() * high**self.alpha * (1 - heat) ** self.beta
        return assigned.label_mean(torch.where(heat == 1, found, other))
