# SPDX-License-Identifier: Apache-2.0
"""Fusion of several ranked lists of moments into one."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from vtg.registry import TASK_UTILS
from vtg.structures import MomentList
from vtg.utils import ConfigError

Array: TypeAlias = np.ndarray[Any, Any]


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
        # Every entry depends on those before: on the host, where a round costs next to nothing.
        table = torch.cat((spans, scores.unsqueeze(-1)), dim=-1).cpu().numpy()
        clusters = np.zeros((*scores.shape, 7))
        for rank in range(scores.shape[1]):
            row = np.flatnonzero(table[:, rank, 2] > -np.inf)
            self._insert(clusters[:, : rank + 1], row, table[row, rank, :2], table[row, rank, 2])
        found = torch.from_numpy(clusters).to(spans.device)
        fused, _, total, best, members = found.split((2, 2, 1, 1, 1), dim=-1)
        return fused, total.squeeze(-1), best.squeeze(-1), members.squeeze(-1)

    def _insert(self, clusters: Array, row: Array, span: Array, score: Array) -> None:
        """Put one entry per sample into a cluster, in place.

        Args:
            clusters: ``(B, C, 7)`` fused span, sums of weighted spans (2) and of scores, highest
                score and members of every cluster, 0 where none is open yet; at least one is not.
            row: ``(R,)`` samples that have an entry.
            span, score: ``(R, 2)`` and ``(R,)`` of it.
        """
        fused, members = clusters[row, :, :2], clusters[row, :, 6]
        common = np.minimum(fused[..., 1], span[:, 1:]) - np.maximum(fused[..., 0], span[:, :1])
        common = common.clip(min=0)
        union = (fused[..., 1] - fused[..., 0]) + (span[:, 1:] - span[:, :1]) - common
        overlap = np.where(members > 0, common / union, -1)
        nearest = overlap.argmax(axis=1)
        join = overlap[np.arange(len(row)), nearest] > self.iou_thr
        at = row, np.where(join, nearest, (members > 0).sum(axis=1))

        entry = clusters[at]  # (R, 7)
        # As published, sums and quotients are rounded to float32: it decides close overlaps.
        entry[:, 2:4] = (entry[:, 2:4] + score[:, None] * span).astype(np.float32)
        entry[:, 4] += score
        entry[:, 5] = np.maximum(entry[:, 5], score)
        entry[:, 6] += 1
        entry[:, :2] = span
        averaged = join & (entry[:, 4] > 0)  # members that all score 0 have no weighted mean
        mean = entry[averaged, 2:4] / entry[averaged, 4:5]
        entry[averaged, :2] = mean.astype(np.float32)
        clusters[at] = entry
