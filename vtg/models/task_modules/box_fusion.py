# SPDX-License-Identifier: Apache-2.0
"""Fusion of several ranked lists of moments into one."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from vtg.registry import TASK_UTILS
from vtg.structures import MomentList, iou_aligned
from vtg.utils import ConfigError


@TASK_UTILS.register_module()
class WeightedBoxFusion1D:
    """Weighted boxes fusion along time, for all samples of a batch together.

    Solovyev et al., "Weighted boxes fusion: Ensembling boxes from different object detection
    models", 2021. Entries are taken by descending weighted score, ties by list and position. Each
    joins the cluster whose fused span overlaps it most, if that IoU exceeds ``iou_thr``, or opens a
    new one. The fused span is the score-weighted mean of the members. The fused score is

    * ``'avg'``: their mean weighted score times ``min(lists, members) / sum(weights)``;
    * ``'max'``: their highest weighted score divided by ``max(weights)``.

    Args:
        weights: Weight of each list; None weighs them equally.
        iou_thr: Overlap above which an entry joins a cluster.
        skip_thr: Entries with an (unweighted) score below this are dropped.
        conf_type: ``'avg'`` or ``'max'``.
        max_length: Spans are divided by this many seconds and limited to [0, 1] while they are
            fused. 1 means that they are normalised already, None divides by the duration.
        allows_overflow: With ``'avg'``, count all members instead of at most one per list; scores
            may then exceed 1.
    """

    def __init__(
        self,
        weights: Sequence[float] | None = None,
        iou_thr: float = 0.55,
        skip_thr: float = 0.0,
        conf_type: Literal['avg', 'max'] = 'avg',
        max_length: float | None = 1.0,
        allows_overflow: bool = False,
    ) -> None:
        self.weights = None if weights is None else tuple(float(weight) for weight in weights)
        self.iou_thr = iou_thr
        self.skip_thr = skip_thr
        self.conf_type = conf_type
        self.max_length = max_length
        self.allows_overflow = allows_overflow

    @torch.no_grad()
    def __call__(self, lists: Sequence[MomentList], duration: Tensor | None = None) -> MomentList:
        """Fuse lists of the same B samples.

        Args:
            lists: M lists; spans in the unit of ``max_length``, in any order.
            duration: ``(B,)`` seconds, needed where ``max_length`` is None.

        Returns:
            One list, best first, padded to the largest number of entries that entered the fusion.

        Raises:
            ConfigError: The number of weights is not the number of lists, or a duration is missing.
        """
        weights = self.weights or (1.0,) * len(lists)
        if len(weights) != len(lists):
            raise ConfigError(
                f'WeightedBoxFusion1D: {len(weights)} weights for {len(lists)} result lists; '
                'give one weight per list.'
            )
        unit = self._unit(duration)
        spans, scores = self._prepare(lists, weights, unit)
        fused, total, best, members = self._cluster(spans, scores)
        mask = members > 0
        if self.conf_type == 'max':
            confidence = best / max(weights)
        else:
            count = members if self.allows_overflow else members.clamp(max=len(lists))
            confidence = total / members.clamp(min=1) * count / sum(weights)
        key = confidence.masked_fill(~mask, -torch.inf)
        order = key.argsort(dim=-1, descending=True, stable=True)
        mask = mask.gather(1, order)
        fused = fused.gather(1, order[..., None].expand(-1, -1, 2)) * unit
        return MomentList(
            (fused * mask[..., None]).to(lists[0].spans.dtype),
            (confidence.gather(1, order) * mask).to(lists[0].scores.dtype),
            mask,
        )

    def _unit(self, duration: Tensor | None) -> float | Tensor:
        if self.max_length is not None:
            return self.max_length
        if duration is None:
            raise ConfigError('WeightedBoxFusion1D needs `max_length` where there is no duration.')
        return duration.double().view(-1, 1, 1)

    def _prepare(
        self, lists: Sequence[MomentList], weights: Sequence[float], unit: float | Tensor
    ) -> tuple[Tensor, Tensor]:
        """Filter, weigh and sort the entries of all lists.

        Returns ``(B, K, 2)`` normalised spans and ``(B, K)`` weighted scores in descending order;
        a dropped entry has score -inf, and K is the largest number of entries kept.
        """
        spans = torch.cat([item.spans for item in lists], dim=1).double() / unit
        spans = spans.sort(dim=-1).values.clamp(0, 1)
        keep = torch.cat([item.mask & (item.scores >= self.skip_thr) for item in lists], dim=1)
        keep &= spans[..., 1] > spans[..., 0]
        weighed = [item.scores.double() * weight for item, weight in zip(lists, weights)]
        scores = torch.cat(weighed, dim=1).masked_fill(~keep, -torch.inf)
        scores, order = scores.sort(dim=1, descending=True, stable=True)
        longest = int(keep.sum(1).max()) if keep.numel() else 0
        order = order[:, :longest, None].expand(-1, -1, 2)
        return spans.gather(1, order), scores[:, :longest]

    def _cluster(self, spans: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Go through the ranks and fill the clusters of all samples.

        Returns ``(B, K, 2)`` fused spans, ``(B, K)`` sums of scores, highest scores and members.
        """
        batch, size = scores.shape
        fused, weighted = torch.zeros_like(spans), torch.zeros_like(spans)
        total, best, members = (torch.zeros_like(scores) for _ in range(3))
        opened = torch.zeros(batch, 1, dtype=torch.long, device=spans.device)
        for rank in range(size):
            span, score = spans[:, rank, None], scores[:, rank, None]  # (B, 1, 2), (B, 1)
            real = score > -torch.inf
            score = score.masked_fill(~real, 0)
            iou = iou_aligned(fused, span).masked_fill(members == 0, -1)  # (B, K)
            overlap, nearest = iou.max(dim=1, keepdim=True)
            join = overlap > self.iou_thr
            slot = torch.where(join, nearest, opened)  # (B, 1)
            opened = opened + (real & ~join)

            members.scatter_add_(1, slot, real.to(members.dtype))
            total.scatter_add_(1, slot, score)
            best.scatter_(1, slot, torch.maximum(best.gather(1, slot), score))
            pair = slot[..., None].expand(-1, -1, 2)  # (B, 1, 2)
            # As published, sums and quotients are rounded to float32: it decides close overlaps.
            moment = (weighted.gather(1, pair) + score[..., None] * span).float().double()
            weighted.scatter_(1, pair, moment)
            mean = (moment / total.gather(1, slot)[..., None]).float().double()
            # Members that all score 0 have no weighted mean.
            averaged = join & (total.gather(1, slot) > 0)
            mean = torch.where(averaged[..., None], mean, span)
            fused.scatter_(1, pair, torch.where(real[..., None], mean, fused.gather(1, pair)))
        return fused, total, best, members
