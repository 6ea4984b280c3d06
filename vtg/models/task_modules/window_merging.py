# SPDX-License-Identifier: Apache-2.0
"""From the moments of overlapping windows of a video to those of the video.

B samples, K padded moments. Every moment comes from a window that saw the seconds ``[left, right]``
of the video. The loops run over ranks, never over samples.
"""

import torch
from torch import Tensor

from vtg.registry import TASK_UTILS
from vtg.structures import MomentList
from vtg.utils import ConfigError

from .nms import sort_moments, take_first, take_moments


def agreement(span: Tensor, seen: Tensor, spans: Tensor, others: Tensor) -> Tensor:
    """IoU of a moment with others over the seconds that both their windows saw.

    Args:
        span, seen: ``(B, 2)`` the moment and what its window saw.
        spans, others: ``(B, K, 2)`` the same of the others.

    Returns:
        ``(B, K)``; 0 where no second is common.
    """
    low = torch.maximum(seen[:, None, 0], others[..., 0])
    high = torch.maximum(low, torch.minimum(seen[:, None, 1], others[..., 1]))
    a = span[:, None].clamp(low[..., None], high[..., None])
    b = spans.clamp(low[..., None], high[..., None])
    left, right = torch.maximum(a[..., 0], b[..., 0]), torch.minimum(a[..., 1], b[..., 1])
    common = (right - left).clamp(min=0)
    union = (a[..., 1] - a[..., 0]) + (b[..., 1] - b[..., 0]) - common
    return torch.where(union > 0, common / union.clamp(min=1e-9), 0)


@TASK_UTILS.register_module()
class MergeWindows:
    """Finds a moment once that several windows found, and joins its pieces.

    Moments are taken by falling score. Moments of *other* windows are the same one where they agree
    over the seconds that both windows saw; they are dropped. A moment that ends at the border of
    its window is cut there: it takes that end from the best of the same moments whose window goes
    on, and so on over as many windows as it lasts. What a single window found stays as it is.

    Args:
        iou_threshold: Agreement above which two moments are the same.
        join_ratio: A moment lends its end only to one whose score, times this, it reaches.
        max_moments: Keep so many of the best; None keeps all.
    """

    def __init__(
        self,
        iou_threshold: float = 0.5,
        join_ratio: float = 0.5,
        max_moments: int | None = 100,
    ) -> None:
        if not 0 <= iou_threshold < 1 or not 0 <= join_ratio <= 1:
            raise ConfigError(
                f'MergeWindows has iou_threshold={iou_threshold} and join_ratio={join_ratio}; '
                'expected numbers from 0 to 1.'
            )
        self.iou_threshold = iou_threshold
        self.join_ratio = join_ratio
        self.max_moments = max_moments

    @torch.no_grad()
    def __call__(self, moments: MomentList, seen: Tensor, tolerance: Tensor) -> MomentList:
        """Merge the moments of all windows.

        Args:
            moments: ``(B, K)`` in seconds of the video, in any order.
            seen: ``(B, K, 2)`` the seconds that the window of each moment saw.
            tolerance: ``(B,)`` seconds within which an end lies at the border, one clip.

        Returns:
            The moments of the videos, best first, then padding.
        """
        seen = sort_moments(MomentList(seen, moments.scores, moments.mask)).spans
        moments = sort_moments(moments)
        spans, kept = moments.spans.clone(), torch.zeros_like(moments.mask)
        waiting = moments.mask.clone()
        for rank in range(spans.shape[1]):
            active = waiting[:, rank].clone()
            if self.max_moments is not None:
                active &= kept.sum(1) < self.max_moments
            if not active.any():
                continue
            others = waiting & (seen[..., 0] != seen[:, rank, None, 0]) & active[:, None]
            lenders = others & (moments.scores >= self.join_ratio * moments.scores[:, rank, None])
            grown, same = self._grow(
                spans[:, rank], seen[:, rank], moments.spans, seen, others, lenders, tolerance
            )
            spans[:, rank] = torch.where(active[:, None], grown, spans[:, rank])
            kept[:, rank] = active
            waiting &= ~same
        order = (~kept).to(torch.uint8).argsort(dim=1, stable=True)
        merged = take_moments(MomentList(spans, moments.scores, kept), order)
        return take_first(merged, int(kept.sum(1).max()) if kept.numel() else 0)

    def _grow(
        self,
        span: Tensor,
        window: Tensor,
        spans: Tensor,
        seen: Tensor,
        others: Tensor,
        lenders: Tensor,
        tolerance: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Grow one moment per sample; return it and the mask of those that are the same."""
        sample = torch.arange(len(span), device=span.device)
        same = torch.zeros_like(others)
        while True:
            agrees = agreement(span, window, spans, seen) > self.iou_threshold
            same = same | (agrees & others)
            before = span
            for side, sign in ((0, 1), (1, -1)):
                cut = sign * (span[:, side] - window[:, side]) <= tolerance
                further = sign * (window[:, None, side] - seen[..., side]) > 0
                lends = agrees & lenders & further & cut[:, None]
                joins = lends.any(dim=1)
                # The list is sorted by score: the first is the best.
                best = lends.to(torch.uint8).argmax(dim=1)
                span, window = span.clone(), window.clone()
                span[:, side] = torch.where(joins, spans[sample, best, side], span[:, side])
                window[:, side] = torch.where(joins, seen[sample, best, side], window[:, side])
            if torch.equal(span, before):
                return span, same
