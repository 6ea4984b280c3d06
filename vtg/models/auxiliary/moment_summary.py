# SPDX-License-Identifier: Apache-2.0
"""Clip scores made from the best moment, in training only."""

from typing import Any, ClassVar, Literal

from torch import Tensor

from vtg.models.base import Auxiliary
from vtg.models.layers import MomentSummary, SummedLinear
from vtg.models.losses import SaliencyLosses
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class MomentSummarySaliency(Auxiliary):
    """Clip scores from the memory scaled by ``1 + <h, v_i>``, with the projected, unrefined clip
    ``v_i`` and the summary ``h`` of the best moment.

    The moment-to-highlight scores of VideoLights (Paul et al., arXiv 2412.01558, section III-E).
    They exist to be compared with the labels: nothing flows back to the moment head, and inference
    does not know them. See :class:`vtg.models.layers.MomentSummary`.

    Args:
        dim: Token width.
        losses: Saliency losses by name, e.g. ``SaliencyCosineLoss``.
        negative_start, length: See there.
    """

    requires = ('projected_video', 'memory', 'spans', 'span_scores')
    parts: ClassVar[dict[str, Any]] = {'losses': {'cosine': {'type': 'SaliencyCosineLoss'}}}

    def __init__(
        self,
        dim: int,
        losses: dict[str, dict | None],
        negative_start: Literal['wrap', 'clamp'] = 'wrap',
        length: Literal['own', 'padded'] = 'own',
    ) -> None:
        super().__init__()
        self.dim = dim
        self.summary = MomentSummary(dim, negative_start, length)
        self.score = SummedLinear(dim)
        self.losses = SaliencyLosses(losses, 'moment_saliency')

    def saliency(self, state: GroundingState) -> Tensor:
        """Clip scores ``(B, L)``; padded clips hold anything."""
        gain = self.summary(state.projected_video, state.video_mask, state.spans, state.span_scores)
        return self.score(state.memory * (1 + gain.unsqueeze(-1))).squeeze(-1)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """Every configured term on these scores."""
        return self.losses(self.saliency(state), state)
