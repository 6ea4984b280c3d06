# SPDX-License-Identifier: Apache-2.0
"""Fusion by the encoder alone."""

from typing import Any

from vtg.models.base import Fusion
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class Concatenation(Fusion):
    """Hands clips and words to the encoder as one sequence (Moment-DETR, Lei et al., 2021)."""

    provides = ('fused', 'fused_text')
    text_free = ('fused',)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``fused (B, L, D)`` and ``fused_text (B, N, D)``."""
        return {'fused': state.video, 'fused_text': state.text}
