# SPDX-License-Identifier: Apache-2.0
"""How the losses of the tasks are combined."""

from torch import Tensor

from vtg.models.base import LossBalancer
from vtg.registry import MODELS


@MODELS.register_module()
class FixedBalancer(LossBalancer):
    """Sums the losses as they are weighted by their components.

    Args:
        weights: Optional factor per task (``moment``, ``saliency``, ``auxiliary``).
    """

    def __init__(self, weights: dict[str, float] | None = None) -> None:
        super().__init__()
        self.weights = weights or {}

    def forward(self, losses: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:  # type: ignore[override]
        """See :class:`vtg.models.base.LossBalancer`."""
        return {
            name: self.weights.get(task, 1.0) * loss
            for task, terms in losses.items()
            for name, loss in terms.items()
        }
