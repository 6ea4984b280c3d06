# SPDX-License-Identifier: Apache-2.0
"""Contrastive alignment of moment queries and words."""

from typing import ClassVar, Literal

from torch import Tensor, nn

from vtg.models.base import Component
from vtg.models.layers import masked_fill_zero, unit
from vtg.models.task_modules import matched_queries
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError


@MODELS.register_module()
class QueryTextAlignment(Component):
    """The queries that found a moment must lie closer to the words than the others do.

    An InfoNCE over the queries of a sample, every query scored by its summed products with all
    words; the contrastive alignment of MDETR as an option of Moment-DETR (Lei et al., 2021).

    Args:
        dim: Token width.
        embed_dim: Width of the common space.
        temperature: Divisor of the scores.
        weight: Factor of the loss of every decoder layer.
        text: Which words: ``'encoded'``, as the encoder leaves them, or ``'projected'``.
        mask_padding: False sums over padded words as well, as the released code does.
    """

    slot = 'query_alignment'
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
        super().__init__()
        if text not in ('encoded', 'projected'):
            raise ConfigError(
                f"QueryTextAlignment: text must be 'encoded' or 'projected', got {text!r}."
            )
        # The encoder encodes the words that the fusion hands on.
        self.loss_requires = ('fused_text' if text == 'encoded' else 'projected_text',)
        self.query_proj = nn.Linear(dim, embed_dim)
        self.text_proj = nn.Linear(dim, embed_dim)
        self.temperature = temperature
        self.weight = weight
        self.text = text
        self.mask_padding = mask_padding

    def embed(self, normed: Tensor, state: GroundingState) -> tuple[Tensor, Tensor]:
        """Unit vectors of the queries ``(S, B, Q, E)`` and of the words ``(B, N, E)``."""
        words = state.projected_text
        if self.text == 'encoded':
            words = state.fused_text if state.memory_text is None else state.memory_text
        return (
            unit(self.query_proj(normed)),
            unit(self.text_proj(words)),
        )

    def forward(  # type: ignore[override]
        self, normed: Tensor, state: GroundingState, query_index: Tensor
    ) -> dict[str, Tensor]:
        """Return the weighted loss of every layer; the last has no suffix.

        Args:
            normed: ``(S, B, Q, D)`` states of the decoder layers.
            state: Gives the words.
            query_index: ``(S, B, G)`` matched query of every moment, -1 for none.
        """
        queries, words = self.embed(normed, state)
        if self.mask_padding:
            words = masked_fill_zero(words, state.text_mask)
        # The sum over words of the products is the product with the sum of the words.
        logits = (queries * words.sum(dim=1)[:, None]).sum(dim=-1) / self.temperature
        positive = matched_queries(query_index, logits.shape[-1])
        count = positive.sum(dim=-1).clamp(min=1)
        mean = logits.masked_fill(~positive, 0).sum(dim=-1) / count
        loss = logits.logsumexp(dim=-1) - mean
        # A sample without a moment has nothing to align.
        terms = loss.masked_fill(~positive.any(dim=-1), 0).mean(dim=1) * self.weight
        losses = {f'loss_align_{layer}': value for layer, value in enumerate(terms[:-1])}
        return {'loss_align': terms[-1], **losses}
