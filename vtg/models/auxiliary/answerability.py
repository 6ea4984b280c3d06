# SPDX-License-Identifier: Apache-2.0
"""Whether a video answers a query at all."""

from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Auxiliary
from vtg.models.layers import masked_average, unit
from vtg.models.losses import masked_mean
from vtg.registry import MODELS
from vtg.structures import GroundingState, MomentList, Progress
from vtg.utils import check_choice


@MODELS.register_module()
class Answerability(Auxiliary):
    """Tells pairs of a video and its query from those of the negative pass.

    The relevance head and loss of CausalVTG (NeurIPS 2025) for any system with negatives: a linear
    layer on the normalised means of encoded clips and words, with cross-entropy over matching and
    negative pairs; a labelled query without a moment is a negative one as it stands. Where
    ``model.negatives.partner`` names it, the negative pass is of two videos per query: the next
    one, and a hard one, that of the query with the most similar words.

    Args:
        dim: Token width.
        scale_scores: Multiply the scores of reported moments with the probability that the video
            answers the query, so that one threshold also refuses queries. The order of the moments
            of a query stays.
        weight: Weight of the term.
        average_over: ``'valid'`` clips and words, or ``'padded'`` ones too, as in the released
            code.
        same_source: What a negative pair of one source video is: ``'ignored'``, and never chosen as
            the hard one if there is another, or ``'answerable'``, as in the released code.
        shared_mask: The next video counts as of the same source where the hard one is, as in the
            released code, which overwrites one mask with the other.
    """

    requires = ('memory', 'text')
    negative_reads = ('memory',)
    needs_negative = True
    reads_negative = True
    chooses_partners = True
    free_pairs = True

    def __init__(
        self,
        dim: int,
        scale_scores: bool = True,
        weight: float = 0.1,
        average_over: Literal['valid', 'padded'] = 'valid',
        same_source: Literal['ignored', 'answerable'] = 'ignored',
        shared_mask: bool = False,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.dim: int = dim
        self.norm = nn.LayerNorm(2 * dim)
        self.score = nn.Linear(2 * dim, 1)
        self.scale_scores = scale_scores
        self.weight = weight
        self.average_over = check_choice(average_over, ('valid', 'padded'), f'{name}: average_over')
        choices = ('ignored', 'answerable')
        self.same_source = check_choice(same_source, choices, f'{name}: same_source')
        self.shared_mask = shared_mask

    def mean(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Mean ``(B, D)`` of tokens ``(B, L, D)``."""
        counted = mask if self.average_over == 'valid' else torch.ones_like(mask)
        return masked_average(tokens, counted)

    def logits(self, state: GroundingState) -> Tensor:
        """``(B,)``: high where the video answers the query."""
        clips = self.mean(state.memory, state.video_mask)
        words = self.mean(state.text, state.text_mask)
        return self.score(self.norm(torch.cat((clips, words), dim=-1))).squeeze(-1)

    def choosing(self, progress: Progress) -> bool:
        """See :meth:`vtg.models.base.Component.choosing`."""
        return True

    @torch.no_grad()
    def pairs(self, state: GroundingState) -> tuple[Tensor, Tensor]:
        """See :meth:`vtg.models.base.Component.pairs`; the next video, then the hard one."""
        own = torch.arange(len(state.duration), device=state.duration.device)
        words = unit(self.mean(state.text, state.text_mask), eps=1e-8)
        avoided = own.unsqueeze(1) == own
        if self.same_source == 'ignored':
            source = state.targets.source_id
            avoided = source.unsqueeze(1) == source
        hard = (words @ words.mT).masked_fill(avoided, -torch.inf).argmax(dim=1)
        return torch.cat((own.roll(-1), hard)), own.repeat(2)

    def wanted(self, state: GroundingState) -> tuple[Tensor, Tensor]:
        """Whether a negative pair is answerable ``(P,)``, and whether it counts ``(P,)``."""
        assert state.negative_valid is not None
        valid = state.negative_valid
        if self.shared_mask:
            valid = valid[-len(state.duration) :].repeat(len(valid) // len(state.duration))
        if self.same_source == 'ignored':
            return torch.zeros_like(valid), valid
        return ~valid, torch.ones_like(valid)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_answerability``: mean over the samples and all negative pairs that count."""
        assert state.negative is not None
        matching, negative = self.logits(state), self.logits(state.negative)
        answerable, counts = self.wanted(state)
        always = torch.ones_like(matching, dtype=torch.bool)
        own = state.targets.answerable
        loss = F.binary_cross_entropy_with_logits(
            torch.cat((matching, negative)),
            torch.cat((own, answerable)).to(matching.dtype),
            reduction='none',
        )
        return {'loss_answerability': self.weight * masked_mean(loss, torch.cat((always, counts)))}

    def existence(self, state: GroundingState) -> Tensor:
        """See :meth:`vtg.models.base.Component.existence`."""
        return self.logits(state)

    def revise(self, state: GroundingState, lists: dict[str, MomentList]) -> dict[str, MomentList]:
        """Scale the scores, see ``scale_scores``."""
        if not self.scale_scores:
            return lists
        probability = self.logits(state).sigmoid().unsqueeze(-1)
        return {n: replace(found, scores=found.scores * probability) for n, found in lists.items()}
