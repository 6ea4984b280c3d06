# SPDX-License-Identifier: Apache-2.0
"""Clip scores that a dense moment head has already given."""

from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.base import SaliencyHead
from vtg.models.extras import PointScores
from vtg.models.layers import cosine
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import check_choice


@MODELS.register_module()
class PointSaliencyHead(SaliencyHead):
    """The best class score of the cells that a clip lies in, times the cosine of the rectified
    memory with the sentence.

    R2-Tuning (Liu et al., ECCV 2024), inference. It has no parameters and no loss; it runs behind
    a head that scores points.

    Args:
        cosine: Multiply by the cosine; False leaves the scores of the classes alone.
        cell: Clips of a cell: its ``'stride'``, or ``'share'``, the whole part of clips by cells,
            which drifts away from the cells in short videos, as in the released code.
    """

    requires: tuple[str, ...] = ('memory', 'point_scores', 'pyramid', 'sentence')
    can_do_without: ClassVar[dict[str, str]] = {'sentence': 'cosine=False'}
    reads: tuple[str, ...] = ('moment_memory',)
    suggests: ClassVar[dict[str, str]] = {'point_scores': 'PointHead'}

    def __init__(self, cosine: bool = True, cell: Literal['stride', 'share'] = 'stride') -> None:
        super().__init__()
        check_choice(cell, ('stride', 'share'), 'PointSaliencyHead: cell')
        self.cosine = cosine
        self.cell = cell
        if not cosine:
            self.requires = ('point_scores', 'pyramid')
            self.reads = ()

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency (B, L)``: scores in ``[-1, 1]``, no logits; padded clips hold anything."""
        saliency = self.best_scores(state)
        if self.cosine:
            clips = F.relu(state.for_moments)
            saliency = saliency * cosine(clips, state.sentence.unsqueeze(1))
        return {'saliency': saliency}

    def best_scores(self, state: GroundingState) -> Tensor:
        """The highest score ``(B, L)`` of the cells of every clip, one per level."""
        size, num_clips = state.video_mask.shape[1], state.video_mask.sum(dim=1, keepdim=True)
        clip = torch.arange(size, device=num_clips.device)
        pyramid, best = state.pyramid, []
        sizes = [mask.shape[1] for mask in pyramid.masks]
        scores = state.extras[PointScores].scores.split(sizes, dim=1)
        for level, mask, stride in zip(scores, pyramid.masks, pyramid.strides):
            cells = mask.sum(dim=1, keepdim=True)
            index = (
                torch.div(clip, stride, rounding_mode='floor').long().expand_as(state.video_mask)
            )
            if self.cell == 'share':
                index = clip // (num_clips // cells.clamp(min=1)).clamp(min=1)
            index = index.minimum((cells - 1).clamp(min=0))
            # A video that is shorter than a cell has none of the level.
            best.append(level.gather(1, index).masked_fill(cells == 0, -1))
        return torch.stack(best).amax(dim=0)
