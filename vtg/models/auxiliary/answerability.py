# SPDX-License-Identifier: Apache-2.0
"""Whether a video answers a query at all."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Auxiliary
from vtg.models.layers import masked_average
from vtg.models.losses import masked_mean
from vtg.registry import MODELS
from vtg.structures import GroundingState, MomentList


@MODELS.register_module()
class Answerability(Auxiliary):
    """Tells pairs of a video and its query from those of the negative pass.

    The relevance head and loss of CausalVTG (NeurIPS 2025) for any system with negatives: a linear
    layer on the normalised means of encoded clips and words, with cross-entropy over matching and
    negative pairs. Means leave padding out, and pairs of one source video count as neither; the
    released code takes both in.

    Args:
        dim: Token width.
        scale_scores: Multiply the scores of reported moments with the probability that the video
            answers the query, so that one threshold also refuses queries. The order of the moments
            of a query stays.
        weight: Weight of the term.
    """

    requires = ('memory', 'text')
    negative_reads = ('memory',)
    needs_negative = True
    reads_negative = True

    def __init__(self, dim: int, scale_scores: bool = True, weight: float = 0.1) -> None:
        super().__init__()
        self.dim: int = dim
        self.norm = nn.LayerNorm(2 * dim)
        self.score = nn.Linear(2 * dim, 1)
        self.scale_scores = scale_scores
        self.weight = weight

    def logits(self, state: GroundingState) -> Tensor:
        """``(B,)``: high where the video answers the query."""
        clips = masked_average(state.memory, state.video_mask)
        words = masked_average(state.text, state.text_mask)
        return self.score(self.norm(torch.cat((clips, words), dim=-1))).squeeze(-1)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_answerability``: mean over the matching and all true negative pairs."""
        assert state.negative is not None and state.negative_valid is not None
        logits = torch.cat((self.logits(state), self.logits(state.negative)))
        valid = state.negative_valid
        wanted = torch.cat((torch.ones_like(valid), torch.zeros_like(valid))).to(logits.dtype)
        real = torch.cat((torch.ones_like(valid), valid))
        loss = F.binary_cross_entropy_with_logits(logits, wanted, reduction='none')
        return {'loss_answerability': self.weight * masked_mean(loss, real)}

    def revise(self, state: GroundingState, lists: dict[str, MomentList]) -> dict[str, MomentList]:
        """Scale the scores, see ``scale_scores``."""
        if not self.scale_scores:
            return lists
        probability = self.logits(state).sigmoid().unsqueeze(-1)
        return {n: replace(found, scores=found.scores * probability) for n, found in lists.items()}
