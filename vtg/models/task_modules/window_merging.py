# SPDX-License-Identifier: Apache-2.0
"""From the moments of overlapping windows of a video to those of the video.

B samples, K padded moments. Every moment comes from a window that saw the seconds ``[left, right]``
of the video. The rounds pick a moment of every sample at once; there is no loop over samples.
"""

from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from vtg.registry import TASK_UTILS
from vtg.structures import MomentList
from vtg.utils import ConfigError

from .nms import sort_moments, take_moments

Array: TypeAlias = np.ndarray[Any, Any]


def agreement(span: Array, seen: Array, spans: Array, others: Array) -> Array:
    """IoU of a moment with others over the seconds that both their windows saw.

    Args:
        span, seen: ``(B, 2)`` the moment and what its window saw.
        spans, others: ``(B, 2, K)`` the same of the others.

    Returns:
        ``(B, K)``; 0 where no second is common.
    """
    low = np.maximum(seen[:, :1], others[:, 0])
    high = np.maximum(low, np.minimum(seen[:, 1:], others[:, 1]))
    first, last = (np.minimum(np.maximum(span[:, i, None], low), high) for i in (0, 1))
    start, end = (np.minimum(np.maximum(spans[:, i], low), high) for i in (0, 1))
    common = np.maximum(np.minimum(last, end) - np.maximum(first, start), 0)
    union = (last - first) + (end - start) - common
    return np.where(union > 0, common / np.maximum(union, 1e-9), 0)


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
        # Every pick depends on the one before: on the host, where a round costs next to nothing.
        columns = (moments.spans, seen, moments.scores[..., None], moments.mask[..., None])
        table = torch.cat([column.double() for column in columns], dim=-1).mT.cpu().numpy()
        waiting = table[:, 5] > 0
        found, kept = self._pick(table[:, :2], table[:, 2:4], table[:, 4], waiting, tolerance)
        # The kept ones keep their order and come first.
        order = np.argsort(~kept, axis=1, kind='stable')[:, : kept.sum(axis=1).max(initial=0)]
        device = moments.spans.device
        merged = MomentList(
            torch.from_numpy(found).mT.to(moments.spans),
            moments.scores,
            torch.from_numpy(kept).to(device),
        )
        return take_moments(merged, torch.from_numpy(order).to(device))

    def _pick(
        self, spans: Array, seen: Array, scores: Array, waiting: Array, tolerance: Tensor
    ) -> tuple[Array, Array]:
        """Pick the best moment left of every sample, grow it, drop the same ones, and so on.

        Args:
            spans, seen: ``(B, 2, K)``, sorted by falling score.
            scores, waiting: ``(B, K)``.
            tolerance: ``(B,)``.

        Returns:
            ``(B, 2, K)`` the moments with the picked ones grown, and ``(B, K)`` which were picked.
        """
        found, kept = spans.copy(), np.zeros_like(waiting)
        waiting, left = waiting.copy(), waiting.copy()
        border = tolerance.double().cpu().numpy()
        rounds = spans.shape[2] if self.max_moments is None else self.max_moments
        for _ in range(rounds):
            row = np.flatnonzero(left.any(axis=1))
            if not len(row):
                break
            best = left[row].argmax(axis=1)
            window, others = seen[row, :, best], seen[row]
            may = waiting[row] & (others[:, 0] != window[:, :1])
            lends = may & (scores[row] >= self.join_ratio * scores[row, best][:, None])
            found[row, :, best], same = self._grow(
                spans[row, :, best], window, spans[row], others, may, lends, border[row]
            )
            kept[row, best], left[row, best] = True, False
            waiting[row] &= ~same
            left &= waiting
        return found, kept

    def _grow(
        self,
        span: Array,
        window: Array,
        spans: Array,
        seen: Array,
        others: Array,
        lenders: Array,
        tolerance: Array,
    ) -> tuple[Array, Array]:
        """Grow one moment per sample; return it and the mask of those that are the same."""
        span, window, same = span.copy(), window.copy(), np.zeros_like(others)
        row = np.arange(len(span))  # the samples whose moment may still grow
        while len(row):
            agrees = agreement(span[row], window[row], spans[row], seen[row]) > self.iou_threshold
            same[row] |= agrees & others[row]
            before = span[row]
            for side, sign in ((0, 1), (1, -1)):
                end = window[row, side]
                cut = np.flatnonzero(sign * (before[:, side] - end) <= tolerance[row])
                if not len(cut):
                    continue
                at = row[cut]
                further = sign * (end[cut, None] - seen[at, side]) > 0
                lends = agrees[cut] & lenders[at] & further
                # The list is sorted by score: the first is the best.
                best, joins = lends.argmax(axis=1), lends.any(axis=1)
                at, best = at[joins], best[joins]
                span[at, side], window[at, side] = spans[at, side, best], seen[at, side, best]
            row = row[(span[row] != before).any(axis=1)]
        return span, same
