# SPDX-License-Identifier: Apache-2.0
"""Cross-attention from the clips to the words."""

from typing import Any

from vtg.models.base import Fusion
from vtg.models.layers import CrossAttentionStack
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class TextToVideoAttention(CrossAttentionStack, Fusion):
    """Every clip takes in the words that concern it, in a few layers over the same words.

    QD-DETR (Moon et al., "Query-Dependent Video Representation", 2023, section 3.1). The words do
    not change. Arguments as in :class:`vtg.models.layers.CrossAttentionStack`.
    """

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.Fusion`."""
        clips = state.video, state.video_pos, state.video_mask
        words = state.text, state.text_pos, state.text_mask
        return {'fused': self.attend(*clips, *words)}
