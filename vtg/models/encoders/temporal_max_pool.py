# SPDX-License-Identifier: Apache-2.0
"""An encoder without parameters: maxima over a window of clips."""

from typing import Any

from vtg.models.base import Encoder
from vtg.models.layers.max_pool import MaskedMaxPool1d
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class TemporalMaxPool(Encoder):
    """Takes the maximum over neighbouring clips (TaskWeave, Yang et al., 2024).

    Text tokens and a context token, where the fusion gives them, stay as they are.

    Args:
        kernel_size: Odd number of clips.
        mask_padding: False lets the last clips see whatever the padded positions hold.
    """

    requires = ('fused',)
    reads = ('fused_text',)

    def __init__(self, kernel_size: int = 5, mask_padding: bool = True) -> None:
        super().__init__()
        self.pool = MaskedMaxPool1d(kernel_size, mask_padding)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``memory (B, L, D)``."""
        values = {'memory': self.pool(state.fused, state.video_mask)}
        if state.fused_text is not None:
            values['memory_text'] = state.fused_text
        return values
