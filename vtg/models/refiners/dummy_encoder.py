# SPDX-License-Identifier: Apache-2.0
"""Dummy tokens that know the query."""

from typing import Any

import torch
from torch import Tensor, nn

from vtg.models.base import Refiner
from vtg.models.extras import Dummies
from vtg.models.layers import EncoderStack
from vtg.models.losses import token_orthogonality
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class DummyEncoder(Refiner):
    """Encodes learned dummy tokens together with the words and keeps the dummies.

    As further keys of the fusion the dummies stand for whatever the query does not say, so that
    irrelevant clips can attend to them instead of the words (CG-DETR, Moon et al., 2023, section
    3.2; FlashVTG, Cao et al., 2025, section 3.3). The words themselves go on unencoded.

    Args:
        dim: Token width.
        num_dummies: Number of dummies M.
        num_layers: Encoder layers.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward networks.
        dropout: Inside the feed-forward networks.
        drop_path: Stochastic depth per sample.
        orthogonal_weight: Weight of a loss that keeps the dummies of a sample apart.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    requires = ('text', 'text_pos')
    provides = ('dummies',)

    def __init__(
        self,
        dim: int,
        num_dummies: int = 45,
        num_layers: int = 2,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.1,
        orthogonal_weight: float = 0.0,
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.orthogonal_weight = orthogonal_weight
        self.tokens = nn.Parameter(torch.randn(num_dummies, dim))
        self.positions = nn.Parameter(torch.randn(num_dummies, dim))
        self.layers = EncoderStack(
            num_layers, dim, num_heads, hidden_dim,
            dropout=dropout, drop_path=drop_path, attention_dropout=attention_dropout,
        )  # fmt: skip

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``dummies``, see :class:`vtg.models.extras.Dummies`."""
        batch, count = state.text.shape[0], len(self.tokens)
        tokens = torch.cat((self.tokens.expand(batch, -1, -1), state.text), dim=1)
        position = torch.cat((self.positions.expand(batch, -1, -1), state.text_pos), dim=1)
        mask = torch.cat((state.text_mask.new_ones(batch, count), state.text_mask), dim=1)
        encoded = self.layers(tokens, mask, position)
        return {'dummies': Dummies(encoded[:, :count], self.positions)}

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_dummy_orthogonality``, see :func:`vtg.models.losses.token_orthogonality`."""
        if self.orthogonal_weight == 0:
            return {}
        spread = token_orthogonality(state.extras[Dummies].tokens)
        return {'loss_dummy_orthogonality': self.orthogonal_weight * spread}
