# SPDX-License-Identifier: Apache-2.0
"""Feedback from moments to highlights."""

from typing import Any, Literal

import torch
from torch import Tensor

from vtg.models.extras import ClipGain
from vtg.models.layers import unit
from vtg.registry import MODELS
from vtg.structures import GroundingState, cxw_to_xx, in_float32
from vtg.utils import ConfigError

from .schedule import ScheduledFeedback


def moment_coverage(
    spans: Tensor,
    num_clips: Tensor,
    length: int,
    bins_per_clip: int = 2,
    counted: Tensor | None = None,
) -> Tensor:
    """Count how many predicted moments cover every clip.

    Every moment marks the bins from the one where it starts to the one where it ends, both
    included.

    Args:
        spans: ``(B, Q, 2)`` centre and width, as a fraction of the video.
        num_clips: ``(B,)`` clips that the fractions refer to.
        length: Padded number of clips L.
        bins_per_clip: Resolution in time.
        counted: ``(B, Q)`` True = the moment counts; all by default.

    Returns:
        ``(B, L)``, zero behind the last clip; no gradient.
    """
    count = (bins_per_clip * num_clips)[:, None]
    spans = in_float32(spans.detach())
    ends = cxw_to_xx(spans) * count.unsqueeze(-1)
    ends = ends.clamp(min=0).minimum(count.unsqueeze(-1) - 1).long()
    bins = torch.arange(bins_per_clip * length, device=spans.device)
    covered = (bins >= ends[..., :1]) & (bins <= ends[..., 1:])  # (B, Q, bins)
    if counted is not None:
        covered = covered & counted.unsqueeze(-1)
    marks = covered.sum(dim=1).to(spans.dtype)
    return marks.unflatten(1, (length, bins_per_clip)).mean(dim=-1)


def moment_gain(
    spans: Tensor,
    num_clips: Tensor,
    length: int,
    bins_per_clip: int = 2,
    counted: Tensor | None = None,
) -> Tensor:
    """Scale :func:`moment_coverage` to norm 1 over the clips of a video."""
    coverage = moment_coverage(spans, num_clips, length, bins_per_clip, counted)
    return unit(coverage, dim=1)


@MODELS.register_module()
class MomentGuidedFeedback(ScheduledFeedback):
    """Raises the clips that predicted moments cover, for the saliency head.

    Moment-guided interaction of TaskWeave (Yang et al., 2024); all predictions count,
    whatever their score. It runs behind the moment head and before the saliency head.

    Args:
        start, stop: See :class:`ScheduledFeedback`.
        target: ``'clip_gain'`` hands the gain to a saliency head that reads it, as the released
            code; ``'saliency_memory'`` multiplies the head's features by ``1 + gain``, the paper's
            formula.
        bins_per_clip: Resolution in time; 2 are the code's seconds for clips of 2 s.
        length: ``'own'`` measures moments in the clips of their own video; ``'padded'`` in those of
            the longest video of the batch, close to the constant 150 s of the released code.
    """

    requires: tuple[str, ...] = ('spans', 'span_scores')

    def __init__(
        self,
        start: float = 0.5,
        stop: float = 1.0,
        target: Literal['clip_gain', 'saliency_memory'] = 'clip_gain',
        bins_per_clip: int = 2,
        length: Literal['own', 'padded'] = 'own',
    ) -> None:
        super().__init__(start, stop)
        for name, value, known in (
            ('target', target, ('clip_gain', 'saliency_memory')),
            ('length', length, ('own', 'padded')),
        ):
            if value not in known:
                raise ConfigError(
                    f'MomentGuidedFeedback: {name} must be {" or ".join(known)}, not {value!r}.'
                )
        self.provides = (target,)
        if target == 'saliency_memory':
            self.requires = (*self.requires, 'memory')
            self.reads = ('saliency_memory',)
        self.target = target
        self.bins_per_clip = bins_per_clip
        self.length = length

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``clip_gain (B, L)`` or ``saliency_memory (B, L, D)``; nothing while it is off."""
        if not self.active(state.progress):
            return {}
        mask = state.video_mask
        num_clips = mask.sum(dim=1)
        if self.length == 'padded':
            num_clips = torch.full_like(num_clips, mask.shape[1])
        # Dense heads give padded cells a score of 0.
        counted = state.span_scores > 0
        gain = moment_gain(state.spans, num_clips, mask.shape[1], self.bins_per_clip, counted)
        if self.target == 'clip_gain':
            return {'clip_gain': ClipGain(gain)}
        return {'saliency_memory': state.for_saliency * (1 + gain.unsqueeze(-1))}
