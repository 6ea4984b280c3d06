# SPDX-License-Identifier: Apache-2.0
"""A dense moment head that looks for the clip in the middle of every moment."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.layers import init_linears_normal
from vtg.models.losses import AssignedPredictions
from vtg.models.losses.moment import LossConfigs
from vtg.models.task_modules import sort_moments
from vtg.models.task_modules.nms import take_first
from vtg.registry import MODELS
from vtg.structures import GroundingState, GroundingTargets, MomentList, cxw_to_xx

from .base import DenseHead

# Clips; what is a whole number but for rounding is that number.
ROUNDING = 1e-3
# Radius and deviation of the heat around a centre, by the width of the moment.
SPREAD = 0.2


@dataclass(frozen=True)
class CentreOutputs:
    """Predictions of every clip, in clips. A moment of n whole clips is n - 1 wide: from its first
    clip to its last.

    Attributes:
        logits: ``(B, L)`` of being the middle of a moment.
        window: ``(B, L)`` width of that moment.
        offset: ``(B, L)`` how far behind the clip the middle is.
        unit: ``(B,)`` seconds per clip.
    """

    logits: Tensor
    window: Tensor
    offset: Tensor
    unit: Tensor

    def spans(self) -> Tensor:
        """``(B, L, 2)`` centre and width of whole clips, the last one included."""
        clip = torch.arange(self.logits.shape[1], device=self.logits.device)
        return torch.stack((clip + self.offset + 0.5, self.window + 1), dim=-1)


@dataclass(frozen=True)
class CentreTargets:
    """What every clip should predict.

    Attributes:
        heat: ``(B, L)`` of the middle of a moment, 1 in the middle, falling beside it.
        window, offset: ``(B, L)`` as in :class:`CentreOutputs`, 0 where ``middle`` is False.
        middle: ``(B, L)`` True where a moment has its middle.
        count: Number of moments of the batch, ().
    """

    heat: Tensor
    window: Tensor
    offset: Tensor
    middle: Tensor
    count: Tensor


def centre_targets(
    targets: GroundingTargets, unit: Tensor, clips: Tensor, size: int
) -> CentreTargets:
    """Spread every moment around the clip in its middle.

    The heat k clips from the middle of a moment w wide is ``exp(-k^2 / (2 s^2))``, up to a radius
    of ``int(0.2 w)``, with s a fifth of the radius plus 1; of several moments the greatest
    counts. Of moments with the same middle the last one is learnt.

    Args:
        targets: Of the batch.
        unit: ``(B,)`` seconds per clip.
        clips: ``(B,)`` clips in which a middle may lie.
        size: L.
    """
    moments = cxw_to_xx(targets.spans) * (targets.duration / unit)[:, None, None]
    start, last = moments[..., 0], moments[..., 1] - 1  # (B, G) first and last clip
    centre = ((start + last) / 2).minimum(clips[:, None] - 0.5)
    width = last - start
    middle = (centre + ROUNDING).floor()
    radius = (SPREAD * width + ROUNDING).trunc()
    clip = torch.arange(size, device=middle.device)
    distance = clip - middle.unsqueeze(-1)  # (B, G, L)
    deviation = SPREAD * (radius + 1).unsqueeze(-1)
    heat = (-(distance**2) / (2 * deviation**2)).exp()
    near = (distance.abs() <= radius.unsqueeze(-1)) & targets.span_mask.unsqueeze(-1)
    here = (distance == 0) & targets.span_mask.unsqueeze(-1)
    rank = torch.arange(1, here.shape[1] + 1, device=here.device)[:, None]
    # An entry in front stands for no moment, so that there is always one.
    heat = F.pad(heat * near, (0, 0, 1, 0)).amax(dim=1)
    owner = F.pad(here * rank, (0, 0, 1, 0)).amax(dim=1)
    width, offset = (F.pad(values, (1, 0)).gather(1, owner) for values in (width, centre - middle))
    return CentreTargets(heat, width, offset, owner > 0, targets.span_mask.sum())


@MODELS.register_module()
class CentreHead(DenseHead):
    """Every clip says how likely it is the middle of a moment, how wide that moment is and how far
    its exact middle is.

    UMT (Liu et al., CVPR 2022), section 3.6; the heat around the middle as in CornerNet (Law and
    Deng, 2018).

    Args:
        dim: Channels.
        losses: See :class:`DenseHead`.
        max_moments: Length of the list.
        unit_seconds: Seconds per clip; None takes the sample's own clip length.
        mask_padding: False lets moments beyond a video reach into its padding, as the released
            code does.
    """

    lists = ('centres',)
    requires = ('memory',)
    prefix = 'centre_'
    gives = ('clip_scores', 'heat')
    default_losses: ClassVar[dict[str, dict[str, Any]]] = {
        'label': {'type': 'GaussianFocalLoss'},
        'width': {'type': 'L1SpanLoss', 'on': 'width', 'weight': 0.1},
        'offset': {'type': 'L1SpanLoss', 'on': 'centre'},
    }

    def __init__(
        self,
        dim: int,
        losses: LossConfigs | None = None,
        max_moments: int = 100,
        unit_seconds: float | None = None,
        mask_padding: bool = True,
    ) -> None:
        super().__init__(dim, losses)
        self.max_moments = max_moments
        self.unit_seconds = unit_seconds
        self.mask_padding = mask_padding
        self.centre, self.window, self.offset = (nn.Linear(dim, 1) for _ in range(3))
        init_linears_normal(self)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.MomentHead`."""
        memory = state.for_moments
        unit = state.duration / state.video_mask.sum(dim=1)
        if self.unit_seconds is not None:
            unit = torch.full_like(unit, self.unit_seconds)
        logits, window, offset = (
            part(memory).squeeze(-1) for part in (self.centre, self.window, self.offset)
        )
        outputs = CentreOutputs(logits, window, offset, unit)
        scores = outputs.logits.sigmoid() * state.video_mask
        return self.as_state(
            self._clips(outputs, state), scores, unit, state.duration, centres=outputs
        )

    def _clips(self, outputs: CentreOutputs, state: GroundingState) -> Tensor:
        """Start and end ``(B, L, 2)`` in clips, at least one clip and within the video."""
        clip = torch.arange(outputs.logits.shape[1], device=outputs.logits.device)
        centre = clip + outputs.offset.float().clamp(min=0)
        half = outputs.window.float().clamp(min=0) / 2
        ends = torch.stack((centre - half, centre + half), dim=-1).clamp(min=0)
        clips = state.video_mask.sum(dim=1)
        if not self.mask_padding:
            clips = torch.full_like(clips, outputs.logits.shape[1])
        first, last = ends.minimum((clips - 1)[:, None, None]).unbind(dim=-1)
        return torch.stack((first, last + 1), dim=-1)

    def assign(self, state: GroundingState) -> AssignedPredictions:
        """See :class:`DenseHead`; spans are centre and width in clips."""
        outputs: CentreOutputs = state.moment_outputs['centres']
        mask, size = state.video_mask, state.video_mask.shape[1]
        clips = mask.sum(dim=1) if self.mask_padding else torch.full_like(outputs.unit, size)
        found = centre_targets(state.targets, outputs.unit, clips, size)
        count = found.count.clamp(min=1).to(found.heat.dtype)[None]
        clip = torch.arange(size, device=mask.device)
        wanted = torch.stack((clip + found.offset + 0.5, found.window + 1), dim=-1)
        return AssignedPredictions(
            logits=outputs.logits[None, ..., None],
            mask=mask[None],
            positive=found.middle[None],
            spans=outputs.spans()[None],
            wanted=wanted[None],
            num_labels=count,
            num_spans=count,
            heat=found.heat[None],
            clip_scores=outputs.logits[None],
        )

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """The list ``centres``: the best ``max_moments``, within the video."""
        outputs: CentreOutputs = state.moment_outputs['centres']
        moments = MomentList(
            self._clips(outputs, state) * outputs.unit[:, None, None],
            state.span_scores,
            state.video_mask,
        )
        return {'centres': take_first(sort_moments(moments), self.max_moments)}
