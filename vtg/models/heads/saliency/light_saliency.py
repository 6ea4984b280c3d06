# SPDX-License-Identifier: Apache-2.0
"""A light convolutional decoder of clip scores."""

from typing import Any

from torch import nn

from vtg.models.extras import ClipGain
from vtg.models.layers import MaskedConv1d
from vtg.registry import MODELS
from vtg.structures import GroundingState, in_float32

from .clip_heads import SupervisedSaliencyHead


@MODELS.register_module()
class LightSaliencyHead(SupervisedSaliencyHead):
    """``score(conv(linear(x * (1 + gain)))) + sum(x) / sqrt(dim)`` for every clip.

    The HD decoder of TaskWeave (Yang et al., 2024, eq. 2). Like the released code it has no
    activation and, with a kernel of one clip, sees no neighbours; the paper describes a local
    convolution. The gain is that of a feedback component; without one it is 0. It acts on the first
    term only; the paper's formula, where it acts on both, is a feedback that changes the memory
    instead (``MomentGuidedFeedback(target='saliency_memory')``).

    Args:
        dim: Token width.
        kernel_size: Odd width of the convolution, in clips.
        mask_padding: False lets the convolution read whatever the padded clips hold.
        losses: Saliency losses by name.
    """

    reads = (*SupervisedSaliencyHead.reads, 'clip_gain')

    def __init__(
        self,
        dim: int,
        kernel_size: int = 1,
        mask_padding: bool = True,
        losses: dict[str, dict | None] | None = None,
    ) -> None:
        super().__init__(losses)
        self.dim = dim
        self.linear = nn.Linear(dim, dim)
        self.conv = MaskedConv1d(dim, dim, kernel_size, mask_padding=mask_padding)
        self.score = nn.Linear(dim, 1)
        self.scale = dim**0.5

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency (B, L)``; padded clips hold anything."""
        features = state.for_saliency
        gained = features
        if (extra := state.extras.get(ClipGain)) is not None:
            gained = features * (1 + extra.gain.unsqueeze(-1))
        scores = self.score(self.conv(self.linear(gained), state.video_mask)).squeeze(-1)
        return {'saliency': scores + in_float32(features).sum(dim=-1) / self.scale}
