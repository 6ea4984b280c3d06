# SPDX-License-Identifier: Apache-2.0
"""How the losses of the tasks are combined."""

from typing import TypedDict, cast

import torch
from torch import Tensor, nn

from vtg.models.base import LossBalancer
from vtg.registry import MODELS


class TaskWeights(TypedDict, total=False):
    """Factors of the tasks, see :attr:`vtg.models.base.Component.task`."""

    moment: float
    saliency: float
    auxiliary: float


@MODELS.register_module()
class FixedBalancer(LossBalancer):
    """Sums the losses as they are weighted by their components.

    Args:
        weights: Optional factor per task (``moment``, ``saliency``, ``auxiliary``).
    """

    def __init__(self, weights: TaskWeights | None = None) -> None:
        super().__init__()
        self.weights = cast(dict[str, float], dict(weights or {}))

    def forward(self, losses: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
        """See :class:`vtg.models.base.LossBalancer`."""
        return {
            name: self.weights.get(task, 1.0) * loss
            for task, terms in losses.items()
            for name, loss in terms.items()
        }


@MODELS.register_module()
class UncertaintyBalancer(LossBalancer):
    """Learns the weight of every task from its uncertainty.

    ``sum over tasks of (weight * exp(-g) * loss + g)`` with one learned log-variance ``g`` per task
    (Kendall et al., 2018; the joint loss of TaskWeave, Yang et al., 2024, has weight 2 for the
    saliency and 1 for the moments). A task without losses in a step drops out with its ``g``.

    Args:
        weights: Factor per task that takes part; losses of other tasks are added as they are.
    """

    def __init__(self, weights: TaskWeights) -> None:
        super().__init__()
        self.weights = cast(dict[str, float], dict(weights))
        self.log_variances = nn.ParameterDict({task: torch.zeros(()) for task in weights})

    def forward(self, losses: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
        """Return the scaled losses, ``loss_balance`` (the sum of ``g``) and, for the log only,
        ``log_variance_<task>``."""
        balanced: dict[str, Tensor] = {}
        present = {}
        for task, terms in losses.items():
            factor: Tensor | float = 1.0
            if task in self.weights and terms:
                present[f'log_variance_{task}'] = self.log_variances[task]
                factor = self.weights[task] * torch.exp(-self.log_variances[task])
            balanced |= {name: factor * loss for name, loss in terms.items()}
        if present:
            balanced['loss_balance'] = sum(present.values())
        return balanced | {name: value.detach() for name, value in present.items()}

    def extra_repr(self) -> str:
        return f'weights={self.weights}'
