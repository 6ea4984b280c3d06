# SPDX-License-Identifier: Apache-2.0
"""Contrastive alignment of predictions and words."""

from typing import ClassVar, Literal

from torch import Tensor, nn

from vtg.models.layers import masked_fill_zero, unit
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import check_choice

from .assigned import AssignedPredictions
from .moment import MomentLoss


@MODELS.register_module()
class QueryTextAlignment(MomentLoss):
    """The queries that found a moment must lie closer to the words than the others do.

    An InfoNCE over the queries of a sample, every query scored by its summed products with all
    words; the contrastive alignment of MDETR as an option of Moment-DETR (Lei et al., 2021).

    Args:
        dim: Token width.
        embed_dim: Width of the common space.
        temperature: Divisor of the scores.
        weight: Factor of the term.
        text: Which words: ``'encoded'``, as the encoder leaves them, or ``'projected'``.
        mask_padding: False sums over padded words as well, as the released code does.
    """

    needs = ('states',)
    can_do_without: ClassVar[dict[str, str]] = {'fused_text': "text='projected'"}

    def __init__(
        self,
        dim: int,
        embed_dim: int = 64,
        temperature: float = 0.07,
        weight: float = 0.02,
        text: Literal['encoded', 'projected'] = 'encoded',
        mask_padding: bool = True,
    ) -> None:
        super().__init__(weight)
        self.text = check_choice(text, ('encoded', 'projected'), 'QueryTextAlignment: text')
        # The encoder encodes the words that the fusion hands on.
        self.loss_requires = ('fused_text' if text == 'encoded' else 'projected_text',)
        self.query_proj = nn.Linear(dim, embed_dim)
        self.text_proj = nn.Linear(dim, embed_dim)
        self.temperature = temperature
        self.mask_padding = mask_padding

    def embed(self, states: Tensor, state: GroundingState) -> tuple[Tensor, Tensor]:
        """Unit vectors of the queries ``(S, B, Q, E)`` and of the words ``(B, N, E)``."""
        words = state.projected_text
        if self.text == 'encoded':
            encoded = state.fused_text if state.memory_text is None else state.memory_text
            assert encoded is not None, 'required'
            words = encoded
        return unit(self.query_proj(states)), unit(self.text_proj(words))

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """See :class:`MomentLoss`; a mean over samples, 0 in those without a moment."""
        assert assigned.states is not None
        queries, words = self.embed(assigned.states, state)
        if self.mask_padding:
            words = masked_fill_zero(words, state.text_mask)
        # The sum over words of the products is the product with the sum of the words.
        logits = (queries * words.sum(dim=1)[:, None]).sum(dim=-1) / self.temperature
        positive = assigned.positive
        count = positive.sum(dim=-1).clamp(min=1)
        mean = logits.masked_fill(~positive, 0).sum(dim=-1) / count
        loss = logits.logsumexp(dim=-1) - mean
        return loss.masked_fill(~positive.any(dim=-1), 0).mean(dim=1)
