# SPDX-License-Identifier: Apache-2.0
"""Non-maximum suppression of moments, hard and soft, over a padded batch.

B samples, K padded moments. The loops run over the moments that are picked, never over samples:
each round picks the best remaining moment of every sample at once and compares it with all others,
so that time grows with K times the number of picks, and memory with K.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from vtg.registry import TASK_UTILS
from vtg.structures import MomentList, iou_aligned, iou_pairwise
from vtg.utils import ConfigError

Decay = Callable[[Tensor, float, float], Tensor]

DECAYS: dict[str, Decay] = {
    'zeroing': lambda iou, threshold, sigma: (iou < threshold).to(iou.dtype),
    'linear': lambda iou, threshold, sigma: 1 - iou,
    'gaussian': lambda iou, threshold, sigma: torch.exp(-(iou**2) / sigma),
    'gaussian_above': lambda iou, threshold, sigma: torch.where(
        iou > threshold, torch.exp(-(iou**2) / sigma), 1.0
    ),
}
"""Factor of a score as a function of the IoU with a better moment."""


def take_moments(moments: MomentList, index: Tensor) -> MomentList:
    """Pick entries: ``index (B, K')`` into the K moments of every sample."""
    return MomentList(
        spans=moments.spans.gather(1, index.unsqueeze(-1).expand(-1, -1, 2)),
        scores=moments.scores.gather(1, index),
        mask=moments.mask.gather(1, index),
    )


def sort_moments(moments: MomentList) -> MomentList:
    """Order samples by falling score; equal scores keep their order, NaN and padding go last."""
    last = torch.full_like(moments.scores, -torch.inf)
    key = torch.where(moments.scores.isnan(), last, moments.scores)
    order = key.argsort(dim=1, descending=True, stable=True)
    moments = take_moments(moments, order)
    # A second stable sort, because -inf is also a legal score.
    return take_moments(moments, (~moments.mask).to(torch.uint8).argsort(dim=1, stable=True))


# Up to this many moments, all overlaps at once cost less than one row of them in every round.
_TABLE = 256


def _rows(spans: Tensor, factor: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return ``row(best)``: ``factor`` of the IoU of moment ``best (B, 1)`` with all, ``(B, K)``.

    The IoU is 0 for pairs without length and for NaN.
    """
    if spans.shape[1] <= _TABLE:
        table = factor(iou_pairwise(spans, spans).nan_to_num(nan=0.0))  # (B, K, K)
        return lambda best: table.take_along_dim(best.unsqueeze(-1), dim=1).squeeze(1)

    def row(best: Tensor) -> Tensor:
        picked = spans.take_along_dim(best.unsqueeze(-1), dim=1)  # (B, 1, 2)
        return factor(iou_aligned(spans, picked).nan_to_num(nan=0.0))

    return row


def temporal_nms(
    moments: MomentList,
    iou_threshold: float,
    max_after: int | None = None,
    max_before: int | None = None,
    ties: bool = False,
) -> MomentList:
    """Greedy suppression: drop moments that overlap a better, kept one by more than the threshold.

    An IoU equal to the threshold survives, and so do moments without length.

    Args:
        moments: ``(B, K)`` in any order.
        iou_threshold: In [0, 1].
        max_after: Keep at most this many; the search ends with them.
        max_before: Look only at this many first entries, in the order of the list.
        ties: Beyond ``max_after`` keep those whose score equals the last one's.

    Returns:
        The kept moments, best first, then padding; ``(B, min(K, max_before, max_after))``.
    """
    if max_before is not None:
        moments = take_first(moments, max_before)
    moments = sort_moments(moments)
    above = _rows(moments.spans, lambda iou: iou > iou_threshold)
    alive, kept = moments.mask.clone(), torch.zeros_like(moments.mask)
    size = alive.shape[1]
    for rank in range(size if max_after is None or ties else min(max_after, size)):
        if not (_left(alive, rank) if rank != max_after else bool(alive.any())):
            break  # beyond `max_after` only ties are left, mostly none
        best = alive.to(torch.uint8).argmax(dim=1, keepdim=True)  # the first that is left
        kept |= torch.zeros_like(kept).scatter_(1, best, alive.gather(1, best))
        alive = (alive & ~above(best)).scatter_(1, best, False)
        if ties and rank + 1 == max_after:
            alive &= moments.scores >= moments.scores.gather(1, best)
    order = (~kept).to(torch.uint8).argsort(dim=1, stable=True)
    result = take_moments(replace(moments, mask=kept), order)
    return result if max_after is None or ties else take_first(result, max_after)


def _left(alive: Tensor, rank: int) -> bool:
    """Whether a moment is left; seen at some ranks only, because looking waits for a device."""
    return rank % 32 != 31 or bool(alive.any())


def take_first(moments: MomentList, count: int) -> MomentList:
    """Keep the first ``count`` entries of every sample."""
    return MomentList(moments.spans[:, :count], moments.scores[:, :count], moments.mask[:, :count])


def soft_nms(
    moments: MomentList,
    decay: Literal['zeroing', 'linear', 'gaussian', 'gaussian_above'] = 'gaussian',
    iou_threshold: float = 0.7,
    sigma: float = 0.5,
    max_after: int | None = None,
) -> MomentList:
    """Lower the scores of moments that overlap a better one, and sort by the result.

    Each round picks the moment with the highest current score and multiplies the scores of all
    that are not picked yet. ``decay`` gives the factor:

    * ``'zeroing'``: 0 where ``IoU >= iou_threshold`` (FlashVTG's ``normal``; nothing is removed).
    * ``'linear'``: ``1 - IoU``; the threshold is not used.
    * ``'gaussian'``: ``exp(-IoU^2 / sigma)``; the threshold is not used (UMT, R2-Tuning).
    * ``'gaussian_above'``: the same, only where ``IoU > iou_threshold`` (BAM-DETR).

    Args:
        moments: ``(B, K)`` in any order, scores not negative.
        decay: One of the names above.
        iou_threshold: In [0, 1].
        sigma: Width of the Gaussian.
        max_after: Stop after this many rounds and keep what was picked.

    Returns:
        Moments with their new scores, best first, then padding; ``(B, min(K, max_after))``.
        Moments with a NaN score suppress nothing and come last.

    Raises:
        ConfigError: ``decay`` is unknown.
    """
    if decay not in DECAYS:
        raise ConfigError(f'soft NMS has no decay {decay!r}; expected one of {", ".join(DECAYS)}.')
    factor = _rows(moments.spans, lambda iou: DECAYS[decay](iou, iou_threshold, sigma))
    scores = moments.scores
    waiting = moments.mask & ~scores.isnan()
    rounds = scores.shape[1] if max_after is None else min(max_after, scores.shape[1])
    position = torch.arange(scores.shape[1], device=scores.device)
    for _ in range(rounds):
        best = scores.masked_fill(~waiting, -torch.inf).argmax(dim=1, keepdim=True)  # (B, 1)
        active = waiting.any(dim=1, keepdim=True)
        waiting = waiting & (position != best)
        scores = torch.where(waiting & active, scores * factor(best), scores)
    result = sort_moments(MomentList(moments.spans, scores, moments.mask))
    return result if max_after is None else take_first(result, max_after)


@TASK_UTILS.register_module()
class TemporalNMS:
    """Greedy suppression of moments as a step of post-processing; see :func:`temporal_nms`."""

    def __init__(
        self,
        iou_threshold: float = 0.7,
        max_after: int | None = None,
        max_before: int | None = None,
    ) -> None:
        self.iou_threshold = iou_threshold
        self.max_after = max_after
        self.max_before = max_before

    def __call__(self, moments: MomentList, duration: Tensor | None = None) -> MomentList:
        return temporal_nms(moments, self.iou_threshold, self.max_after, self.max_before)


@TASK_UTILS.register_module()
class SoftNMS:
    """Decay of overlapping scores as a step of post-processing; see :func:`soft_nms`."""

    def __init__(
        self,
        decay: Literal['zeroing', 'linear', 'gaussian', 'gaussian_above'] = 'gaussian',
        iou_threshold: float = 0.7,
        sigma: float = 0.5,
        max_after: int | None = None,
    ) -> None:
        if decay not in DECAYS:
            known = ', '.join(DECAYS)
            raise ConfigError(f'SoftNMS has no decay {decay!r}; expected one of {known}.')
        self.options: dict[str, Any] = {
            'decay': decay,
            'iou_threshold': iou_threshold,
            'sigma': sigma,
            'max_after': max_after,
        }

    def __call__(self, moments: MomentList, duration: Tensor | None = None) -> MomentList:
        return soft_nms(moments, **self.options)
