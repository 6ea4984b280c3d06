# SPDX-License-Identifier: Apache-2.0
"""Adaptive training sample selection along time."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vtg.registry import TASK_UTILS
from vtg.structures import iou_pairwise


@dataclass(frozen=True)
class AnchorAssignment:
    """The target of every anchor. B samples, A anchors.

    Attributes:
        positive: ``(B, A)`` True where the anchor has to predict a moment.
        gt_index: ``(B, A)`` int64 index of that moment, 0 elsewhere.
        iou: ``(B, A)`` overlap of the anchor with that moment, 0 elsewhere.
        most_positive: No sample has more positive anchors, whatever the numbers.
    """

    positive: Tensor
    gt_index: Tensor
    iou: Tensor
    most_positive: int


@TASK_UTILS.register_module()
class ATSSAssigner:
    """Positive anchors by a threshold that adapts to every moment.

    Zhang et al., "Bridging the Gap Between Anchor-based and Anchor-free Detection via Adaptive
    Training Sample Selection", 2020, algorithm 1. The ``topk`` valid anchors of each level whose
    centres are nearest to the moment's are its candidates (the lower index first on ties). A
    candidate is positive if its IoU reaches the mean plus standard deviation of the IoUs of all
    candidates and its centre lies inside the moment. An anchor that is positive for several moments
    takes the one with the highest IoU, the first on ties. The deviation divides by the number of
    candidates less one; a single candidate has deviation 0.

    Args:
        topk: Candidates per level and moment.
        inside_eps: The centre must be further than this from both ends, in the unit of the anchors.
        threshold_eps: Slack of the comparison of a candidate's IoU with the threshold.
    """

    def __init__(
        self, topk: int = 12, inside_eps: float = 1e-7, threshold_eps: float = 0.0
    ) -> None:
        self.topk = topk
        self.inside_eps = inside_eps
        self.threshold_eps = threshold_eps

    def __call__(
        self,
        anchors: Tensor,
        level_sizes: Sequence[int],
        anchor_mask: Tensor,
        gts: Tensor,
        gt_mask: Tensor,
    ) -> AnchorAssignment:
        """Assign a batch.

        Args:
            anchors: ``(A, 2)`` start, end; the levels one after the other.
            level_sizes: Anchors per level, A in total.
            anchor_mask: ``(B, A)`` True where an anchor belongs to the sample's video; others are
                neither candidates nor counted.
            gts: ``(B, G, 2)`` start, end in the unit of the anchors.
            gt_mask: ``(B, G)`` True where a moment is real.

        Returns:
            The assignment; a sample without moments is all background.
        """
        if gts.shape[1] == 0:
            background = torch.zeros_like(anchor_mask, dtype=torch.long)
            return AnchorAssignment(background.bool(), background, background.to(gts.dtype), 0)
        usable = anchor_mask[:, :, None] & gt_mask[:, None, :]  # (B, A, G)
        iou = iou_pairwise(anchors, gts)  # (B, A, G)
        centre = anchors.mean(-1)[None, :, None]
        start, end = gts[:, None, :, 0], gts[:, None, :, 1]
        distance = (centre - 0.5 * (start + end)).abs()
        candidate = self._nearest(distance.masked_fill(~usable, torch.inf), level_sizes) & usable

        threshold = self._threshold(iou, candidate)
        inside = torch.minimum(centre - start, end - centre) > self.inside_eps
        positive = candidate & inside & (iou >= threshold - self.threshold_eps)
        best, gt_index = iou.masked_fill(~positive, -1).max(dim=-1)  # (B, A)
        is_positive = positive.any(-1)
        return AnchorAssignment(
            is_positive,
            gt_index.masked_fill(~is_positive, 0),
            best.masked_fill(~is_positive, 0),
            self.topk * len(level_sizes) * gts.shape[1],
        )

    def _nearest(self, distance: Tensor, level_sizes: Sequence[int]) -> Tensor:
        """Mark the ``topk`` smallest distances of each level: ``(B, A, G)`` to bool."""
        nearest = []
        for part in distance.split(list(level_sizes), dim=1):
            order = part.argsort(dim=1, stable=True)[:, : self.topk]
            chosen = torch.zeros_like(part, dtype=torch.bool)
            nearest.append(chosen.scatter_(1, order, True))
        return torch.cat(nearest, dim=1)

    @staticmethod
    def _threshold(iou: Tensor, candidate: Tensor) -> Tensor:
        """Mean plus standard deviation over the candidates: ``(B, A, G)`` to ``(B, 1, G)``."""
        weight = candidate.to(iou.dtype)
        count = weight.sum(dim=1, keepdim=True)
        # Overlaps of padded moments may be NaN, which a weight of 0 would not remove.
        iou = iou.masked_fill(~candidate, 0)
        mean = iou.sum(dim=1, keepdim=True) / count.clamp(min=1)
        variance = ((iou - mean).square() * weight).sum(dim=1, keepdim=True)
        return mean + (variance / (count - 1).clamp(min=1)).sqrt()


def centerness_target(anchors: Tensor, gts: Tensor, sqrt: bool = False) -> Tensor:
    """Return how central the anchors lie in their moments: ``min(l, r) / max(l, r)``.

    Tian et al., "FCOS: Fully Convolutional One-Stage Object Detection", 2019, equation 3 along
    time; ``sqrt`` takes the square root as they do, SG-DETR does not.

    Args:
        anchors: ``(..., 2)`` start, end; l and r are the distances of the centre to the ends.
        gts: ``(..., 2)`` start, end of the moment of every anchor.
        sqrt: Take the square root.

    Returns:
        ``(...)`` 1 in the middle, 0 at the ends and outside of the moment.
    """
    centre = anchors.mean(-1)
    left, right = centre - gts[..., 0], gts[..., 1] - centre
    tiny = torch.finfo(left.dtype).tiny
    ratio = torch.minimum(left, right).clamp(min=0) / torch.maximum(left, right).clamp(min=tiny)
    return ratio.sqrt() if sqrt else ratio
