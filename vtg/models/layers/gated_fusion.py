# SPDX-License-Identifier: Apache-2.0
"""Queries of a decoder take in one vector of the text through a gate."""

import torch
from torch import Tensor, nn

from .attention import ProjectedAttention
from .dropout import dropout


class GatedTextFusion(nn.Module):
    """Lets through what queries and text have in common.

    ``a = W_o (W_v g + b_v) + b_o``, ``y' = LN(y + Drop(ReLU(W (sigmoid(y a) A(y + a)))))`` with the
    text vector g and self-attention A of one head among the queries (EaTR, Jang et al., ICCV 2023,
    section 3.3). Attention to the single vector g would always have weight 1, so ``a`` is without
    queries and keys; in training its weight is dropped per query, as attention weights are.

    Args:
        dim: Token width D.
        noise: Dropout of the residual branch.
        attention_dropout: Probability of dropping an attention weight.
    """

    def __init__(self, dim: int, noise: nn.Module, attention_dropout: float = 0.1) -> None:
        super().__init__()
        self.text_value, self.text_out = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.attention = ProjectedAttention(dim, 1, attention_dropout)
        self.out = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)
        self.noise = noise
        self.dropout = attention_dropout

    def start(self) -> None:
        """Give the projections of the text the weights of an attention's: its three inputs are
        drawn as one matrix, without bias."""
        nn.init.xavier_uniform_(self.text_value.weight, gain=0.5**0.5)
        nn.init.zeros_(self.text_value.bias)
        nn.init.zeros_(self.text_out.bias)

    def forward(self, queries: Tensor, text: Tensor, blocked: Tensor | None = None) -> Tensor:
        """Fuse.

        Args:
            queries: ``(B, Q, D)``.
            text: ``(B, D)``.
            blocked: ``(Q, Q)`` or ``(B, Q, Q)`` True where the row's query must not see the
                column's.

        Returns:
            ``(B, Q, D)``.
        """
        value = self.text_value(text).unsqueeze(1)  # (B, 1, D)
        if self.training and self.dropout:
            value = value * dropout(queries.new_ones(*queries.shape[:2], 1), self.dropout)
        taken = self.text_out(value)
        gate = (queries * taken).sigmoid()
        mixed = queries + taken
        mixed = self.attention(mixed, mixed, mixed, blocked=blocked)
        return self.norm(queries + self.noise(torch.relu(self.out(gate * mixed))))
