# SPDX-License-Identifier: Apache-2.0
"""A dense moment head with one moment per clip."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import MomentHead
from vtg.models.extras import Foreground
from vtg.models.layers import MaskedConv1d
from vtg.models.losses import AssignedPredictions
from vtg.models.losses.moment import LossConfigs
from vtg.models.task_modules import sort_moments
from vtg.registry import MODELS
from vtg.structures import (
    GroundingState,
    GroundingTargets,
    MomentList,
    cxw_to_xx,
)

from .base import DenseHead

# Clips; moments that end exactly on a timestamp contain it, whatever the rounding.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class ClipOutputs:
    """Predictions of every clip.

    Attributes:
        logits: ``(B, L)`` of the clip lying inside a moment.
        spans: ``(B, L, 2)`` start and end of that moment, as a fraction of the video.
        anchors: ``(B, L)`` the clips' timestamps, as a fraction of the video.
    """

    logits: Tensor
    spans: Tensor
    anchors: Tensor


class ConvStack(nn.ModuleList):
    """Convolutions of width 3 with ReLU between them; the last one changes the channels."""

    def __init__(self, dim: int, out_dim: int, num_layers: int, mask_padding: bool) -> None:
        super().__init__(
            MaskedConv1d(
                dim, out_dim if index == num_layers - 1 else dim, mask_padding=mask_padding
            )
            for index in range(num_layers)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``(B, L, D)`` and its mask to ``(B, L, out_dim)``."""
        for index, conv in enumerate(self):
            x = conv(x if index == 0 else F.relu(x), mask)
        return x


def owning_moments(timestamps: Tensor, targets: GroundingTargets) -> tuple[Tensor, Tensor]:
    """Find the moment that every clip lies in.

    A clip belongs to the last moment of the list that contains its timestamp, ends included. Where
    no timestamp of a sample lies in any moment, the clip in which the first moment starts gets it.

    Args:
        timestamps: ``(B, L)`` in clips.
        targets: Targets of the batch.

    Returns:
        ``(B, L)`` True inside a moment, padding excluded, and ``(B, L)`` index of that moment.
    """
    num_clips, clip = targets.num_clips, torch.arange(timestamps.shape[1], device=timestamps.device)
    valid = clip < num_clips[:, None]
    moments = cxw_to_xx(targets.spans) * num_clips[:, None, None]  # (B, G, 2) clips
    start, end = moments[:, None, :, 0] - TOLERANCE, moments[:, None, :, 1] + TOLERANCE
    time = timestamps.unsqueeze(-1)
    inside = (start <= time) & (time <= end) & targets.span_mask[:, None] & valid.unsqueeze(-1)
    rank = torch.arange(1, inside.shape[-1] + 1, device=inside.device)
    owner = (inside * rank).amax(dim=-1) - 1

    first = (moments[:, 0, 0] + TOLERANCE).floor().clamp(min=0).minimum(num_clips - 1)
    missed = targets.span_mask[:, 0] & ~(owner >= 0).any(dim=1)
    fallback = missed[:, None] & (clip == first[:, None])
    return (owner >= 0) | fallback, owner.clamp(min=0)


@MODELS.register_module()
class ClipOffsetHead(DenseHead):
    """Every clip says whether it lies in a moment and how far away that moment starts and ends.

    UniVTG (Lin et al., ICCV 2023), section 3.2. No matching: the target of a clip is the moment
    that contains its timestamp.

    Args:
        dim: Channels.
        num_convs: Convolutions of each branch.
        anchor_offset: Where in a clip its timestamp lies, in clips: 0.5 is the centre; the released
            code takes half the clip length in seconds, which for clips of 2 s is 1, the end.
        losses: See :class:`DenseHead`.
        mask_padding: Zero padded clips before convolutions; the released code does not.
    """

    lists = ('clips',)
    provides = (*MomentHead.provides, 'foreground')
    default_losses: ClassVar[dict[str, dict[str, Any]]] = {
        'label': {'type': 'SigmoidClassLoss', 'background_weight': 0.1, 'weight': 10.0},
        'span': {'type': 'SmoothL1SpanLoss', 'on': 'ends', 'reduction': 'sum', 'weight': 10.0},
        'giou': {'type': 'GIoUSpanLoss', 'eps': 0.0, 'weight': 1.0},
    }

    def __init__(
        self,
        dim: int,
        num_convs: int = 3,
        anchor_offset: float = 0.5,
        losses: LossConfigs | None = None,
        mask_padding: bool = True,
    ) -> None:
        super().__init__(dim, losses)
        self.anchor_offset = anchor_offset
        self.class_convs = ConvStack(dim, 1, num_convs, mask_padding)
        self.span_convs = ConvStack(dim, 2, num_convs, mask_padding)
        # A moment starts before and ends after the timestamp of its clip.
        self.register_buffer('sides', torch.tensor((-1.0, 1.0)), persistent=False)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.MomentHead`; ``foreground (B, L)`` is 0 on padding."""
        memory, mask = state.for_moments, state.video_mask
        logits = self.class_convs(memory, mask).squeeze(-1)
        offsets = self.span_convs(memory, mask).sigmoid() * self.sides
        clip = torch.arange(mask.shape[1], device=mask.device) + self.anchor_offset
        anchors = clip / mask.sum(dim=1, keepdim=True)
        outputs = ClipOutputs(logits, anchors.unsqueeze(-1) + offsets, anchors)
        foreground = logits.sigmoid() * mask
        duration = state.duration  # spans are fractions of the video
        values = self.as_state(outputs.spans, foreground, duration, duration, clips=outputs)
        return {**values, 'foreground': Foreground(foreground)}

    def assign(self, state: GroundingState) -> AssignedPredictions:
        """See :class:`DenseHead`; spans are fractions of the video.

        Where data only rate clips, relevant ones are the foreground and offsets learn nothing; a
        sample without any does not count.
        """
        outputs: ClipOutputs = state.moment_outputs['clips']
        targets, mask = state.targets, state.video_mask
        if targets.spans.shape[1]:
            timestamps = outputs.anchors * targets.num_clips.unsqueeze(-1)
            positive, owner = owning_moments(timestamps, targets)
            wanted = cxw_to_xx(targets.spans).gather(1, owner.unsqueeze(-1).expand(-1, -1, 2))
            found = positive
        else:
            positive, found = targets.relevant, torch.zeros_like(targets.relevant)
            wanted = torch.zeros_like(outputs.spans)
            mask = mask & positive.any(dim=1, keepdim=True)
        return AssignedPredictions(
            logits=outputs.logits[None, ..., None],
            mask=mask[None],
            positive=positive[None],
            spans=outputs.spans[None],
            wanted=wanted[None],
            ends=True,
            span_weight=found[None],
            clip_scores=outputs.logits[None],
        )

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """The list ``clips``: one moment per clip, clamped to the video, best first."""
        outputs: ClipOutputs = state.moment_outputs['clips']
        moments = self.in_seconds(
            outputs.spans, state.span_scores, state.video_mask, state.duration, state.duration
        )
        return {'clips': sort_moments(moments)}
