# SPDX-License-Identifier: Apache-2.0
"""Clips that resemble the best moment, for the saliency head."""

from typing import Any, Literal

from vtg.models.base import Feedback
from vtg.models.layers import MomentSummary
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class MomentSummaryFeedback(Feedback):
    """Scales the saliency head's features of clip i by ``1 + <h, v_i>``, with the projected clip
    ``v_i`` and the summary ``h`` of the best moment.

    TR-DETR (Sun et al., 2024), section 3.4: moments refine highlights. It runs behind the moment
    head and before the saliency head; see :class:`vtg.models.layers.MomentSummary`.

    Args:
        dim: Token width.
        negative_start, length: See there.
    """

    requires = ('projected_video', 'memory', 'spans', 'span_scores')
    reads = ('saliency_memory',)
    provides = ('saliency_memory',)

    def __init__(
        self,
        dim: int,
        negative_start: Literal['wrap', 'clamp'] = 'wrap',
        length: Literal['own', 'padded'] = 'own',
    ) -> None:
        super().__init__()
        self.dim = dim
        self.summary = MomentSummary(dim, negative_start, length)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency_memory (B, L, D)``."""
        gain = self.summary(state.projected_video, state.video_mask, state.spans, state.span_scores)
        return {'saliency_memory': state.for_saliency * (1 + gain.unsqueeze(-1))}
