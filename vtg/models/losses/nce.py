# SPDX-License-Identifier: Apache-2.0
"""Contrastive losses between clips and queries of a batch (UniVTG, Lin et al., ICCV 2023)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.layers import unit
from vtg.registry import MODELS
from vtg.structures import GroundingState

from .saliency import MASKED_SCORE, SaliencyLoss, masked_mean


class PositiveClipLoss(SaliencyLoss):
    """Base class of losses on one clip per sample that matches the query.

    Args:
        temperature: Divisor of the cosines.
        pair: Which of the ranked pairs gives that clip; the last is a random relevant clip.
        weight: Factor of the term.
    """

    def __init__(self, temperature: float = 0.07, pair: int = -1, weight: float = 1.0) -> None:
        super().__init__(weight)
        self.temperature = temperature
        self.pair = pair

    def positive(self, state: GroundingState) -> tuple[Tensor, Tensor]:
        """Return the clips ``(B,)`` and where they exist ``(B,)``; nowhere if no clip of the whole
        batch is labelled, as in the released code."""
        targets = state.targets
        exists = targets.relevant.any(dim=1) & (targets.saliency > 0).any()
        return targets.pos_clips[:, self.pair], exists


@MODELS.register_module()
class InterVideoNCELoss(PositiveClipLoss):
    """The matching clip of a video must be closer to its own query than to those of other videos,
    and the other way round (equation 6; clips and queries as they are before fusion)."""

    loss_requires = ('video', 'sentence')

    def compute(self, scores: Tensor, state: GroundingState, negative: Tensor | None) -> Tensor:
        """Sum of both directions, each a mean over samples."""
        clip, exists = self.positive(state)
        index = clip[:, None, None].expand(-1, 1, state.video.shape[-1])
        clips = unit(state.video.gather(1, index).squeeze(1), eps=1e-8)
        logits = clips @ unit(state.sentence, eps=1e-8).T / self.temperature
        itself = torch.arange(len(logits), device=logits.device)
        losses = [F.cross_entropy(x, itself, reduction='none') for x in (logits, logits.T)]
        return masked_mean(losses[0] + losses[1], exists)


@MODELS.register_module()
class IntraVideoNCELoss(PositiveClipLoss):
    """The matching clip must score higher than all clips of the video that are labelled lower
    (equation 5).

    The released code adds the transposed term: the scores of all videos of the batch at the same
    clip index, of which the sample's own must be the highest.

    Args:
        keep_equal: Clips with the label of the matching one count as well (R2-Tuning and FlashVTG).
        across: Add the transposed term.
        kwargs: See :class:`PositiveClipLoss`.
    """

    def __init__(self, keep_equal: bool = False, across: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keep_equal = keep_equal
        self.across = across

    def compute(self, scores: Tensor, state: GroundingState, negative: Tensor | None) -> Tensor:
        """Sum of both terms, each a mean over samples."""
        clip, exists = self.positive(state)
        labels, column = state.targets.saliency, clip.unsqueeze(1)
        own = labels.gather(1, column)
        lower = labels <= own if self.keep_equal else labels < own
        kept = lower.scatter(1, column, True) & state.video_mask
        logits = (scores / self.temperature).masked_fill(~kept, MASKED_SCORE)
        clips = -logits.log_softmax(dim=1).gather(1, column).squeeze(1)
        if not self.across:
            return masked_mean(clips, exists)
        same_index = logits[:, clip].T  # (B, B): row b holds every video at the clip of b
        videos = -same_index.log_softmax(dim=1).diagonal()
        return masked_mean(clips + videos, exists)
