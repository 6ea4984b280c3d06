# SPDX-License-Identifier: Apache-2.0
"""A dense moment head with one moment per clip."""

from dataclasses import dataclass
from typing import Any, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import MomentHead
from vtg.models.extras import Foreground
from vtg.models.layers import MaskedConv1d
from vtg.models.losses import masked_mean
from vtg.models.task_modules import sort_moments
from vtg.registry import MODELS
from vtg.structures import (
    GroundingState,
    GroundingTargets,
    MomentList,
    cxw_to_xx,
    generalized_iou_aligned,
    xx_to_cxw,
)

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


class ClipOffsetWeights(TypedDict, total=False):
    """Weights of the terms of :class:`ClipOffsetHead`."""

    label: float
    span: float
    giou: float


@MODELS.register_module()
class ClipOffsetHead(MomentHead):
    """Every clip says whether it lies in a moment and how far away that moment starts and ends.

    UniVTG (Lin et al., ICCV 2023), section 3.2. No matching: the target of a clip is the moment
    that contains its timestamp.

    Args:
        dim: Channels.
        num_convs: Convolutions of each branch.
        anchor_offset: Where in a clip its timestamp lies, in clips: 0.5 is the centre; the released
            code takes half the clip length in seconds, which for clips of 2 s is 1, the end.
        background_weight: Weight of clips outside in the classification.
        loss_weights: Weight of ``label``, ``span`` and ``giou``.
        mask_padding: Zero padded clips before convolutions; the released code does not.
    """

    lists = ('clips',)

    provides = (*MomentHead.provides, 'foreground')

    def __init__(
        self,
        dim: int,
        num_convs: int = 3,
        anchor_offset: float = 0.5,
        background_weight: float = 0.1,
        loss_weights: ClipOffsetWeights | None = None,
        mask_padding: bool = True,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.anchor_offset = anchor_offset
        self.background_weight = background_weight
        self.loss_weights = {'label': 10.0, 'span': 10.0, 'giou': 1.0, **(loss_weights or {})}
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
        return {
            'spans': xx_to_cxw(outputs.spans),
            'span_scores': foreground,
            'foreground': Foreground(foreground),
            'moment_outputs': {'clips': outputs},
        }

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_label`` over all clips; ``loss_span`` (smooth L1, summed over both ends) and
        ``loss_giou`` over the clips inside a moment of the whole batch."""
        outputs: ClipOutputs = state.moment_outputs['clips']
        targets = state.targets
        if targets.spans.shape[1] == 0:
            return self._without_moments(outputs, state)
        timestamps = outputs.anchors * targets.num_clips.unsqueeze(-1)
        inside, owner = owning_moments(timestamps, targets)
        wanted = cxw_to_xx(targets.spans).gather(1, owner.unsqueeze(-1).expand(-1, -1, 2))

        span = F.smooth_l1_loss(outputs.spans, wanted, reduction='none').sum(dim=-1)
        terms = {
            'label': self._label_loss(outputs.logits, inside, state.video_mask),
            'span': masked_mean(span, inside),
            'giou': masked_mean(1 - generalized_iou_aligned(outputs.spans, wanted), inside),
        }
        return {f'loss_{name}': self.loss_weights[name] * term for name, term in terms.items()}

    def _label_loss(self, logits: Tensor, inside: Tensor, mask: Tensor) -> Tensor:
        bce = F.binary_cross_entropy_with_logits(logits, inside.to(logits.dtype), reduction='none')
        return masked_mean(torch.where(inside, 1.0, self.background_weight) * bce, mask)

    def _without_moments(self, outputs: ClipOutputs, state: GroundingState) -> dict[str, Tensor]:
        """Losses of data that only rates clips: relevant ones are the foreground, offsets learn
        nothing; a sample without any does not count."""
        relevant = state.targets.relevant
        mask = state.video_mask & relevant.any(dim=1, keepdim=True)
        label = self._label_loss(outputs.logits, relevant, mask)
        unused = outputs.spans.sum() * 0
        return {'loss_label': self.loss_weights['label'] * label} | {
            f'loss_{name}': unused for name in ('span', 'giou')
        }

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """The list ``clips``: one moment per clip, clamped to the video, best first."""
        outputs: ClipOutputs = state.moment_outputs['clips']
        end = state.duration[:, None, None]
        seconds = (outputs.spans * end).clamp(min=0).minimum(end)
        moments = MomentList(seconds, state.span_scores, state.video_mask)
        return {'clips': sort_moments(moments)}
