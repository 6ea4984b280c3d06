# SPDX-License-Identifier: Apache-2.0
"""A sentence out of the words."""

from typing import Any

from vtg.models.base import Refiner
from vtg.models.layers import WeightedPooling
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class WeightedSentence(Refiner):
    """Sets the sentence to the mean of the words with learned weights, see
    :class:`vtg.models.layers.WeightedPooling`.

    Args:
        dim: Token width.
    """

    requires = ('text', 'text_mask')
    provides = ('sentence',)

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.pooling = WeightedPooling(dim)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``sentence (B, D)``."""
        return {'sentence': self.pooling(state.text, state.text_mask)}
