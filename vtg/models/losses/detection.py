# SPDX-License-Identifier: Apache-2.0
"""Classification losses of moment queries and anchors, and distances between spans."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.base import Component
from vtg.registry import MODELS


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


class QueryClassLoss(Component):
    """Base class of the classification loss of moment queries.

    Attributes:
        num_logits: Logits per query.
    """

    slot = 'class_loss'
    num_logits: int

    def probability(self, logits: Tensor) -> Tensor:
        """Foreground probability ``(...)`` of ``logits (..., num_logits)``."""
        raise NotImplementedError

    def log_odds(self, logits: Tensor) -> Tensor:
        """Logit ``(...)`` of the foreground probability."""
        raise NotImplementedError

    def forward(self, logits: Tensor, matched: Tensor) -> Tensor:  # type: ignore[override]
        """Loss ``(...)`` per query; ``logits (..., num_logits)``, boolean ``matched (...)``."""
        raise NotImplementedError


@MODELS.register_module()
class SigmoidClassLoss(QueryClassLoss):
    """Binary cross-entropy on one foreground logit, background queries weighted down.

    Args:
        background_weight: Weight of unmatched queries (DETR's ``eos_coef``).
    """

    num_logits = 1

    def __init__(self, background_weight: float = 0.1) -> None:
        super().__init__()
        self.background_weight = background_weight

    def probability(self, logits: Tensor) -> Tensor:
        """See :class:`QueryClassLoss`."""
        return logits.squeeze(-1).sigmoid()

    def log_odds(self, logits: Tensor) -> Tensor:
        """See :class:`QueryClassLoss`."""
        return logits.squeeze(-1)

    def forward(self, logits: Tensor, matched: Tensor) -> Tensor:  # type: ignore[override]
        """See :class:`QueryClassLoss`."""
        logits = logits.squeeze(-1)
        target = matched.to(logits.dtype)
        loss = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
        return loss * torch.where(matched, 1.0, self.background_weight)


class TwoClassLoss(QueryClassLoss):
    """Base class of the losses on a foreground logit (index 0) and a background logit (index 1)."""

    num_logits = 2

    def probability(self, logits: Tensor) -> Tensor:
        """See :class:`QueryClassLoss`."""
        return logits.softmax(dim=-1)[..., 0]

    def log_odds(self, logits: Tensor) -> Tensor:
        """See :class:`QueryClassLoss`."""
        return logits[..., 0] - logits[..., 1]


@MODELS.register_module()
class SoftmaxClassLoss(TwoClassLoss):
    """Cross-entropy over foreground and background (Moment-DETR, Lei et al., 2021, eq. 3).

    The caller averages over all queries: the weights do not enter the divisor.

    Args:
        background_weight: Weight of unmatched queries (DETR's ``eos_coef``).
    """

    def __init__(self, background_weight: float = 0.1) -> None:
        super().__init__()
        self.background_weight = background_weight

    def forward(self, logits: Tensor, matched: Tensor) -> Tensor:  # type: ignore[override]
        """See :class:`QueryClassLoss`."""
        negative_log = -logits.log_softmax(dim=-1)
        background = self.background_weight * negative_log[..., 1]
        return torch.where(matched, negative_log[..., 0], background)


@MODELS.register_module()
class FocalClassLoss(TwoClassLoss):
    """Sigmoid focal loss on both logits, target 1 for the class of the query and 0 for the other.

    TR-DETR's classification loss; at inference the two logits are compared by a softmax.

    Args:
        alpha: Weight of the targets 1, ``1 - alpha`` of the targets 0.
        gamma: Focusing exponent.
    """

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0) -> None:
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma

    def forward(self, logits: Tensor, matched: Tensor) -> Tensor:  # type: ignore[override]
        """See :class:`QueryClassLoss`; the mean over both logits."""
        target = torch.stack((matched, ~matched), dim=-1).to(logits.dtype)
        return sigmoid_focal_loss(logits, target, self.alpha, self.gamma).mean(dim=-1)
