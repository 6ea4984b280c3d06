# SPDX-License-Identifier: Apache-2.0
"""Losses on clip scores.

Each is a module ``loss(scores, state, negative)`` with a weight. ``scores (B, L)`` are logits,
``negative`` holds the scores of the same videos with another text, or None. Padded clips and pairs
of the same source video never count; a term without anything to count is 0.
"""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Component
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError

# Stands in for minus infinity before a softmax, as in the published code: finite, so that a row
# without real entries keeps a finite gradient.
MASKED_SCORE = -1000.0


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``values`` where ``mask`` is True; 0 where it is nowhere."""
    weights = mask.to(values.dtype).expand_as(values)
    return (values * weights).sum() / weights.sum().clamp(min=1)


def probability_cross_entropy(probability: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy ``(...)`` of probabilities, at most 100."""
    return F.binary_cross_entropy(probability, target.to(probability.dtype), reduction='none')


class SaliencyLoss(Component):
    """Base class of the losses on clip scores.

    Args:
        weight: Factor of the term.

    Attributes:
        reads_negative: It uses the scores of the negative pass where there are some.
        needs_negative: It is 0 without them.
    """

    slot = 'saliency_loss'
    reads_negative = False
    needs_negative = False

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(  # type: ignore[override]
        self, scores: Tensor, state: GroundingState, negative: Tensor | None
    ) -> Tensor:
        """Return the weighted scalar loss.

        Args:
            scores: ``(B, L)`` logits.
            state: Gives masks and targets.
            negative: ``(B, L)`` logits with the text of the next sample, or None.
        """
        return self.weight * self.compute(scores, state, negative)

    def compute(self, scores: Tensor, state: GroundingState, negative: Tensor | None) -> Tensor:
        """Return the unweighted scalar loss."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f'weight={self.weight}'


@MODELS.register_module()
class SaliencyBCELoss(SaliencyLoss):
    """Binary cross-entropy of every clip with "is it labelled at all" (SG-DETR, section 3.7), or
    with its label as a soft target (UMT, Liu et al., CVPR 2022).

    Args:
        probability: The scores are probabilities, not logits.
        average_over: ``'valid'`` clips of the batch, or ``'padded'``: padding counts as clips with
            label 0, as in CG-DETR's code; or ``'padded_count'``: padding costs nothing but counts,
            as in UMT's code.
        max_label: The label that means certainly: targets are labels divided by it. None asks
            whether there is a label.
        weight: Factor of the term.
    """

    def __init__(
        self,
        probability: bool = False,
        average_over: Literal['valid', 'padded', 'padded_count'] = 'valid',
        weight: float = 1.0,
        max_label: float | None = None,
    ) -> None:
        super().__init__(weight)
        self.max_label = max_label
        self.probability = probability
        self.average_over = average_over

    def compute(self, scores: Tensor, state: GroundingState, negative: Tensor | None) -> Tensor:
        """Mean over the clips of the batch."""
        target = (state.targets.saliency / (self.max_label or 1.0)).clamp(0, 1)
        if self.probability:
            loss = probability_cross_entropy(scores, target)
        else:
            loss = F.binary_cross_entropy_with_logits(scores, target, reduction='none')
        if self.average_over == 'padded':
            return loss.mean()
        if self.average_over == 'padded_count':
            return (loss * state.video_mask).mean()
        return masked_mean(loss, state.video_mask)


@MODELS.register_module()
class NegativePairLoss(SaliencyLoss):
    """Clips must score low for the text of another video (QD-DETR, Moon et al., 2023, eq. 7).

    Args:
        reduction: Over the clips of a sample: ``'sum'`` as in QD-DETR, ``'mean'`` over all valid
            clips of the batch as in SG-DETR.
        min_probability: Clamp of ``1 - sigmoid`` before the logarithm; 0 uses the exact softplus.
        probability: The scores are probabilities, not logits; ``min_probability`` must exceed 0.
        weight: Factor of the term.
    """

    reads_negative = True
    needs_negative = True

    def __init__(
        self,
        reduction: Literal['sum', 'mean'] = 'sum',
        min_probability: float = 0.0,
        probability: bool = False,
        weight: float = 1.0,
    ) -> None:
        super().__init__(weight)
        if probability and not min_probability > 0:
            raise ConfigError(
                'NegativePairLoss on probabilities needs min_probability above 0, for example '
                f'1e-6; got {min_probability}.'
            )
        self.reduction = reduction
        self.min_probability = min_probability
        self.probability = probability

    def compute(self, scores: Tensor, state: GroundingState, negative: Tensor | None) -> Tensor:
        """Mean over true negative pairs."""
        if negative is None:
            return scores.sum() * 0
        if self.min_probability > 0:
            high = negative if self.probability else negative.sigmoid()
            loss = -(1 - high).clamp(min=self.min_probability).log()
        else:
            loss = F.softplus(negative)
        rows = state.negative_valid
        assert rows is not None, 'set with the negative state'
        if self.reduction == 'mean':
            return masked_mean(loss, state.video_mask & rows.unsqueeze(-1))
        return masked_mean((loss * state.video_mask).sum(dim=-1), rows)


@MODELS.register_module()
class MarginPairLoss(SaliencyLoss):
    """Hinge between clips that must score higher and clips that must score lower.

    ``2 * mean(max(0, margin + s_neg - s_pos))`` over samples and pairs (Moment-DETR, Lei et al.,
    2021, eq. 4; the factor is the official code's). A clip of index -1 stands for one with score 0
    (UVCOM, for videos without another clip). A query without a moment has nothing to rank and does
    not count.

    Args:
        margin: Distance below which a pair costs.
        sigmoid: Compare probabilities (SG-DETR) instead of logits.
        weight: Factor of the term.
    """

    def __init__(self, margin: float = 0.2, sigmoid: bool = False, weight: float = 1.0) -> None:
        super().__init__(weight)
        self.margin = margin
        self.sigmoid = sigmoid

    def compute(self, scores: Tensor, state: GroundingState, negative: Tensor | None) -> Tensor:
        """Mean over all pairs of the batch."""
        if self.sigmoid:
            scores = scores.sigmoid()
        high, low = (
            scores.gather(1, clips.clamp(min=0)).masked_fill(clips < 0, 0)
            for clips in (state.targets.pos_clips, state.targets.neg_clips)
        )
        # A pair of a clip with itself says that there is nothing to rank.
        same = state.targets.pos_clips == state.targets.neg_clips
        counts = state.targets.answerable | ~same.all(dim=1)
        return 2 * masked_mean(F.relu(self.margin + low - high), counts.unsqueeze(-1))


@MODELS.register_module()
class RankContrastiveLoss(SaliencyLoss):
    """At every rank r, clips labelled at least r must stand out from the others.

    CG-DETR / QD-DETR (Moon et al., 2023, eq. 6). Where a true negative pair exists its clips join
    the denominator; samples without one are averaged apart and added. The published code sums
    eleven ranks and divides by twelve.

    Args:
        temperature: Divisor of the scores.
        num_ranks: Ranks 1 to ``num_ranks`` are summed.
        divisor: Divisor of the sum.
        min_alone: Samples without a true negative count only if there are at least so many, or no
            others. CG-DETR's code loses a single one, and in the loss on attention all of them.
        weight: Factor of the term.
    """

    reads_negative = True

    def __init__(
        self,
        temperature: float = 0.5,
        num_ranks: int = 11,
        divisor: float = 12.0,
        min_alone: float = 1,
        weight: float = 1.0,
    ) -> None:
        super().__init__(weight)
        self.temperature = temperature
        self.num_ranks = num_ranks
        self.divisor = divisor
        self.min_alone = min_alone

    def compute(self, scores: Tensor, state: GroundingState, negative: Tensor | None) -> Tensor:
        """Sum of the ranks' means."""
        mask, labels = state.video_mask, state.targets.saliency
        alone = self._rows(scores, labels, mask)
        if negative is None:
            return alone.mean()
        both = self._rows(
            torch.cat((scores, negative), dim=1),
            torch.cat((labels, torch.zeros_like(labels)), dim=1),
            torch.cat((mask, mask), dim=1),
        )
        rows = state.negative_valid
        assert rows is not None, 'set with the negative state'
        missing = (~rows).sum()
        counted = ~rows & ((missing >= self.min_alone) | (missing == len(rows)))
        return masked_mean(both, rows) + masked_mean(alone, counted)

    def _rows(self, scores: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Per-sample loss ``(B,)`` of scores, labels and mask ``(B, L)``."""
        logits = scores.masked_fill(~mask, MASKED_SCORE) / self.temperature
        logits = logits - logits.amax(dim=1, keepdim=True)
        log_probability = logits - (logits.exp().sum(dim=1, keepdim=True) + 1e-6).log()
        ranks = torch.arange(1, self.num_ranks + 1, device=scores.device, dtype=labels.dtype)
        positive = (labels.unsqueeze(1) >= ranks[:, None]) & mask.unsqueeze(1)  # (B, R, L)
        count = positive.sum(dim=-1)
        total = (log_probability.unsqueeze(1) * positive).sum(dim=-1)
        return -(total / (count + 1e-6)).sum(dim=-1) / self.divisor


class SaliencyLosses(nn.ModuleDict):
    """The named losses of one curve of clip scores.

    Args:
        losses: Configs by name; None removes a term that a base config has.
        curve: What the scores are, e.g. ``'saliency'``: the terms are ``loss_<curve>_<name>``.
    """

    def __init__(self, losses: dict[str, dict[str, Any] | None] | None, curve: str) -> None:
        configs = (losses or {}).items()
        super().__init__({name: MODELS.build(cfg) for name, cfg in configs if cfg is not None})
        self.curve = curve

    def forward(
        self, scores: Tensor, state: GroundingState, negative: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return the weighted terms; for the arguments see :meth:`SaliencyLoss.forward`."""
        return {
            f'loss_{self.curve}_{name}': loss(scores, state, negative)
            for name, loss in self.items()
        }
