# SPDX-License-Identifier: Apache-2.0
"""Verification of predicted moments by a second look at their clips."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Auxiliary
from vtg.models.layers import GRU, masked_fill_zero
from vtg.models.losses import masked_mean
from vtg.models.task_modules.nms import sort_moments
from vtg.registry import MODELS
from vtg.structures import (
    GroundingState,
    MomentList,
    cxw_to_xx,
    in_float32,
    iou_pairwise,
)


class IntervalScore(nn.Module):
    """One logit for an interval of clips: a GRU reads it, a perceptron scores the last state.

    Args:
        dim: Width of the clips.
        hidden_dim: Width of the GRU; the perceptron halves it twice.
        dropout: Between the layers of the perceptron.
    """

    def __init__(self, dim: int, hidden_dim: int = 128, dropout: float = 0.3) -> None:
        super().__init__()
        self.rnn = GRU(dim, hidden_dim)
        self.classifier = nn.Sequential(
            nn.Linear(hidden_dim, hidden_dim // 2),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim // 2, hidden_dim // 4),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim // 4, 1),
        )

    def forward(self, rows: Tensor, count: Tensor) -> Tensor:
        """``(N, L, D)`` clips, of which the first ``count (N,)``, at least one, belong to the
        interval, to logits ``(N,)``."""
        # Behind the last row nothing matters to the state at that row.
        states, _ = self.rnn(rows)
        last = (count - 1)[:, None, None].expand(-1, 1, states.shape[-1])
        return self.classifier(states.gather(1, last).squeeze(1)).squeeze(-1)


@MODELS.register_module()
class MomentVerification(Auxiliary):
    """Looks once more at the clips of every predicted moment and asks whether it is one.

    The post-verification of FlashMMR (Cao et al., "When One Moment Isn't Enough", NeurIPS 2025).
    The module is that of the released code; how it is trained and used was not released and is
    chosen here: the best moments of a training step learn whether they overlap with a true one by
    ``min_overlap``, and a reported score is the product of the head's score and the probability of
    the verification. It fits every moment head.

    Args:
        dim: Token width.
        hidden_dim, dropout: See :class:`IntervalScore`.
        num_candidates: Moments per video that learn in a training step, the best ones.
        min_overlap: Least overlap (IoU) with a moment that a candidate needs to be true.
        weight: Weight of the term.
    """

    requires = ('memory', 'spans', 'span_scores')
    reads = ('moment_memory',)

    def __init__(
        self,
        dim: int,
        hidden_dim: int = 128,
        dropout: float = 0.3,
        num_candidates: int = 10,
        min_overlap: float = 0.5,
        weight: float = 0.7,
    ) -> None:
        super().__init__()
        self.dim: int = dim
        self.score = IntervalScore(dim, hidden_dim, dropout)
        self.num_candidates = num_candidates
        self.min_overlap = min_overlap
        self.weight = weight

    def verify(self, state: GroundingState, spans: Tensor) -> Tensor:
        """Return logits ``(B, K)`` of the moments ``spans (B, K, 2)``, start and end as a fraction
        of the video.

        A moment has the clips that it touches, at least one.
        """
        memory, mask = state.for_moments, state.video_mask
        batch, moments = spans.shape[:2]
        count = mask.sum(dim=1)[:, None]
        # An end on the border of a clip does not touch the next one, whatever the rounding.
        ends = in_float32(spans.detach()) * count.unsqueeze(-1)
        start = (ends[..., 0] + 1e-4).floor().long().clamp(min=0).minimum(count - 1)
        stop = (ends[..., 1] - 1e-4).ceil().long().minimum(count).maximum(start + 1)
        step = torch.arange(memory.shape[1], device=memory.device)
        source = (start.unsqueeze(-1) + step).clamp(max=memory.shape[1] - 1)  # (B, K, L)
        index = source.flatten(1).unsqueeze(-1).expand(-1, -1, memory.shape[-1])
        rows = memory.gather(1, index).unflatten(1, (moments, -1))  # (B, K, L, D)
        taken = start.unsqueeze(-1) + step < stop.unsqueeze(-1)
        rows = masked_fill_zero(rows.flatten(0, 1), taken.flatten(0, 1))
        return self.score(rows, (stop - start).flatten()).view(batch, moments)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_verification``: cross-entropy, mean over the candidates of the batch."""
        kept = min(self.num_candidates, state.span_scores.shape[1])
        scores, best = state.span_scores.detach().topk(kept, dim=1)
        spans = cxw_to_xx(state.spans.detach())
        spans = spans.gather(1, best.unsqueeze(-1).expand(-1, -1, 2)).clamp(0, 1)
        logits = self.verify(state, spans)
        targets = state.targets
        overlap = iou_pairwise(spans, cxw_to_xx(targets.spans.to(spans.dtype)), 1e-7)  # (B, K, G)
        overlap = overlap.masked_fill(~targets.span_mask[:, None, :], 0)
        wanted = (overlap >= self.min_overlap).any(dim=-1).to(logits.dtype)
        loss = F.binary_cross_entropy_with_logits(logits, wanted, reduction='none')
        # What stands for no part of the video has the score 0.
        return {'loss_verification': self.weight * masked_mean(loss, scores > 0)}

    def revise(self, state: GroundingState, lists: dict[str, MomentList]) -> dict[str, MomentList]:
        """Multiply every score with the probability of the verification and sort again."""
        length = state.duration[:, None, None]
        revised = {}
        for name, moments in lists.items():
            probability = self.verify(state, moments.spans / length).sigmoid()
            revised[name] = sort_moments(replace(moments, scores=moments.scores * probability))
        return revised
