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

    def forward(self, logits: Tensor, matched: Tensor) -> Tensor:  # type: ignore[override]
        """See :class:`QueryClassLoss`."""
        logits = logits.squeeze(-1)
        target = matched.to(logits.dtype)
        loss = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
        return loss * torch.where(matched, 1.0, self.background_weight)
