# SPDX-License-Identifier: Apache-2.0
"""Clip scores of a joint space of images and sentences, with nothing to learn."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from vtg.models.base import SaliencyHead
from vtg.models.layers import masked_fill_zero, unit
from vtg.registry import MODELS
from vtg.structures import GroundingState, in_float32
from vtg.utils import ConfigError


@MODELS.register_module()
class FeatureCosineSaliencyHead(SaliencyHead):
    """Cosine of the features of clip and sentence as they are stored, smoothed over time.

    Zero-shot grounding with an image-text model such as CLIP. Rows of a sentence are averaged;
    there is one where the stored array is the pooled sentence. It has no parameters.

    Args:
        centre: Take the mean clip of the video away first. The clips of one video are alike, and
            what they share tells nothing about where a moment is.
        kernel_size: Clips that a score is averaged over, fewer at both ends of the video.
    """

    requires = ('video_features', 'text_features')
    reads = ()

    def __init__(self, centre: bool = True, kernel_size: int = 3) -> None:
        super().__init__()
        self.centre = centre
        self.kernel_size = kernel_size

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency (B, L)`` in [-1, 1]; 0 on padding."""
        clips, words = in_float32((_plain(state.video_features), _plain(state.text_features)))
        if clips.shape[-1] != words.shape[-1]:
            raise ConfigError(
                f'FeatureCosineSaliencyHead compares clips and sentences of one space, but the '
                f'video features are {clips.shape[-1]} wide and the text features '
                f'{words.shape[-1]}; use both features of one image-text model and '
                'benchmark.dataset.features.tef=False.'
            )
        mask = state.video_mask
        clips = unit(clips)
        if self.centre:
            clips = unit(clips - _mean(clips, mask).unsqueeze(1))
        sentence = unit(_mean(words, state.text_mask))
        scores = torch.einsum('bld,bd->bl', clips, sentence)
        return {'saliency': smoothed(scores, mask, self.kernel_size)}


def _plain(rows: Tensor) -> Tensor:
    """Rows with axes, such as the patches of several layers, become their mean ``(B, N, D)``."""
    return rows if rows.ndim == 3 else rows.flatten(2, -2).mean(2)


def _mean(rows: Tensor, mask: Tensor) -> Tensor:
    """Mean ``(B, D)`` of the real rows of ``(B, N, D)``."""
    count = mask.sum(1, keepdim=True).clamp(min=1)
    return masked_fill_zero(rows, mask).sum(1) / count


def smoothed(scores: Tensor, mask: Tensor, kernel_size: int) -> Tensor:
    """Mean ``(B, L)`` of the real scores at most ``kernel_size // 2`` clips away, 0 on padding."""
    both = torch.stack((scores.masked_fill(~mask, 0), mask.to(scores)), dim=1)  # (B, 2, L)
    total, count = F.avg_pool1d(
        both, kernel_size, 1, kernel_size // 2, count_include_pad=True
    ).unbind(1)
    return (total / count.clamp(min=1e-6)).masked_fill(~mask, 0)
