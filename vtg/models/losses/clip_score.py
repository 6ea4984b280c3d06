# SPDX-License-Identifier: Apache-2.0
"""Agreement of the shapes of two score curves."""

import torch
from torch import Tensor

from vtg.utils import ConfigError

from .saliency import masked_mean


def min_max(scores: Tensor, mask: Tensor) -> Tensor:
    """Map the least real score of every sample to 0 and the greatest to 1.

    Args:
        scores: ``(B, L)``.
        mask: ``(B, L)`` True = real.

    Returns:
        ``(B, L)``; all 0 in a sample whose scores are equal, anything on padding.
    """
    low = scores.masked_fill(~mask, torch.inf).amin(dim=1, keepdim=True)
    high = scores.masked_fill(~mask, -torch.inf).amax(dim=1, keepdim=True)
    width = high - low
    return (scores - low) / torch.where(width > 0, width, torch.ones_like(width))


def clip_score_distance(
    scores: Tensor, labels: Tensor, mask: Tensor, over: str = 'sample'
) -> Tensor:
    """Mean squared distance of scores and labels after both are brought to [0, 1].

    FlashVTG's clip-aware score loss (Cao et al., 2025, section 3.5).

    Args:
        scores: ``(B, L)`` logits.
        labels: ``(B, L)`` saliency labels.
        mask: ``(B, L)`` True = real.
        over: What shares its extremes: the real clips of a ``'sample'``, or the whole ``'batch'``
            with its padding, which then also enters the mean, as in the released code.

    Returns:
        Scalar, the mean over the clips of the batch.
    """
    if over not in ('sample', 'batch'):
        raise ConfigError(f"the clip score is scaled over 'sample' or 'batch', got {over!r}.")
    if over == 'batch':
        scores, labels, mask = (x.reshape(1, -1) for x in (scores, labels, torch.ones_like(mask)))
    distance = (min_max(scores, mask) - min_max(labels, mask)).square()
    return masked_mean(torch.where(mask, distance, distance.new_zeros(())), mask)
