# SPDX-License-Identifier: Apache-2.0
"""Clip scores after fusion."""

from typing import Any

from torch import Tensor, nn

from vtg.models.base import SaliencyHead
from vtg.models.feedback import amplify
from vtg.models.losses import build_saliency_losses
from vtg.registry import MODELS
from vtg.structures import GroundingState


class SupervisedSaliencyHead(SaliencyHead):
    """A saliency head with a dict of losses.

    Args:
        losses: Saliency losses by name.
    """

    def __init__(self, losses: dict[str, dict] | None = None) -> None:
        super().__init__()
        self.losses = build_saliency_losses(losses)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """Every configured term on the final scores."""
        negative = None if state.negative is None else state.negative.saliency
        return {
            f'loss_saliency_{name}': loss(state.saliency, state, negative)
            for name, loss in self.losses.items()
        }


@MODELS.register_module()
class LocalToGlobalSaliencyHead(SupervisedSaliencyHead):
    """Corrects the local saliency with what fusion and encoder have learnt about a clip.

    ``S_global = S_local + Linear(amplify(memory, S_local))``, the linear layer starting at zero
    (SG-DETR, arXiv 2410.01615, eq. 8).

    Args:
        dim: Token width.
        losses: Saliency losses by name.
    """

    requires = (*SaliencyHead.requires, 'local_saliency')

    def __init__(self, dim: int, losses: dict[str, dict] | None = None) -> None:
        super().__init__(losses)
        self.dim = dim
        self.offset = nn.Linear(dim, 1)
        nn.init.zeros_(self.offset.weight)
        nn.init.zeros_(self.offset.bias)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency (B, L)``; padded clips hold anything."""
        local = state.local_saliency
        offset = self.offset(amplify(state.for_saliency, local)).squeeze(-1)
        return {'saliency': local + offset}


@MODELS.register_module()
class LocalSaliency(SupervisedSaliencyHead):
    """Takes the local saliency as the final one: the ablation without a global score."""

    requires = (*SaliencyHead.requires, 'local_saliency')

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency (B, L)``."""
        return {'saliency': state.local_saliency}
