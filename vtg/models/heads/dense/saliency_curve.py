# SPDX-License-Identifier: Apache-2.0
"""Moments out of the curve of clip scores, with nothing to learn."""

from typing import Any

import torch
from torch import Tensor

from vtg.models.base import MomentHead
from vtg.models.task_modules import sort_moments, take_first
from vtg.registry import MODELS
from vtg.structures import GroundingState, MomentList, in_float32

from .base import DenseHead


@MODELS.register_module()
class SaliencyCurveHead(MomentHead):
    """Runs of clips above a threshold, at several thresholds, ranked by their contrast.

    The curve is flooded at levels between its least and its greatest value, as in the watershed
    proposals of Xiong et al. ("A Pursuit of Temporal Accuracy in General Activity Detection",
    2017); what stays above the water at a level without a gap is a proposal, and the lowest level
    gives the whole video. A proposal of n clips scores ``n / (n + prior_clips)`` times the
    difference of the mean saliency inside and outside of it; outside of the whole video is 0. It
    has no parameters.

    Args:
        num_levels: Thresholds, at equal distances.
        prior_clips: The mean of few clips is little evidence: so many clips without contrast are
            counted with it.
        max_moments: Proposals that are kept, the best first.
    """

    lists = ('curve',)
    requires = ('saliency',)
    reads = ()

    def __init__(
        self, num_levels: int = 16, prior_clips: float = 2.0, max_moments: int = 100
    ) -> None:
        super().__init__()
        self.num_levels = num_levels
        self.prior_clips = prior_clips
        self.max_moments = max_moments

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.MomentHead`; scores below 0 become 0."""
        curve, mask = in_float32(state.saliency), state.video_mask
        starts, ends, found = runs_above(curve, mask, self.num_levels)
        scores = self.contrast(curve, mask, starts, ends).clamp(min=0, max=1)
        spans = torch.stack((starts, ends), dim=-1).to(scores)
        moments = take_first(sort_moments(MomentList(spans, scores, found)), self.max_moments)
        unit = state.duration / mask.sum(1)  # seconds per clip
        values = DenseHead.as_state(moments.spans, moments.scores, unit, state.duration)
        return {**values, 'moment_outputs': {'curve': moments, 'unit': unit}}

    def contrast(self, curve: Tensor, mask: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
        """Score ``(B, K)`` of proposals from clip ``starts (B, K)`` to before clip ``ends``."""
        sums = torch.cumsum(curve.masked_fill(~mask, 0), dim=1)
        sums = torch.cat((torch.zeros_like(sums[:, :1]), sums), dim=1)  # (B, L + 1)
        inside = sums.gather(1, ends) - sums.gather(1, starts)
        count = (ends - starts).to(curve)
        others = mask.sum(1, keepdim=True) - count
        outside = (sums[:, -1:] - inside) / others.clamp(min=1)
        outside = outside.masked_fill(others < 1, 0)
        mean = inside / count.clamp(min=1)
        return (mean - outside) * count / (count + self.prior_clips)

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """The list ``curve``, best first."""
        moments, unit = state.moment_outputs['curve'], state.moment_outputs['unit']
        cut = DenseHead.in_seconds(
            moments.spans, moments.scores, moments.mask, unit, state.duration
        )
        return {'curve': cut}


def runs_above(curve: Tensor, mask: Tensor, num_levels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Find the runs of clips that are at least as high as each of several levels.

    Args:
        curve: ``(B, L)``.
        mask: ``(B, L)`` True = real.
        num_levels: Levels from the least value of a sample up to below its greatest.

    Returns:
        First clip and the clip behind the last ``(B, T * L)``, and where there is a run; equal runs
        of several levels count once.
    """
    low = curve.masked_fill(~mask, torch.inf).amin(1)
    high = curve.masked_fill(~mask, -torch.inf).amax(1)
    share = torch.arange(num_levels, device=curve.device) / num_levels
    levels = low[:, None] + (high - low)[:, None] * share  # (B, T)
    above = (curve.unsqueeze(1) >= levels.unsqueeze(-1)) & mask.unsqueeze(1)  # (B, T, L)
    before = torch.nn.functional.pad(above[..., :-1], (1, 0))
    first = above & ~before
    length = curve.shape[1]
    clip = torch.arange(length, device=curve.device)
    # The end of a run is the next clip that is not above.
    under = torch.where(above, length, clip)
    ends = under.flip(-1).cummin(-1).values.flip(-1)
    same = torch.zeros_like(first)
    same[:, 1:] = first[:, :-1] & (ends[:, 1:] == ends[:, :-1])
    starts = clip.expand_as(first)
    return starts.flatten(1), ends.flatten(1), (first & ~same).flatten(1)
