# SPDX-License-Identifier: Apache-2.0
"""Self-attention over the fused sequence."""

from typing import Any

import torch
from torch import Tensor

from vtg.models.base import Encoder
from vtg.models.layers import EncoderStack
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class TransformerEncoder(Encoder):
    """Post-norm transformer encoder over ``[context token; video; text]``.

    The context token and the text take part only where the fusion provides them.

    Args:
        dim: Token width.
        num_layers: Number of layers; they start with identical weights.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: On attention weights and inside the feed-forward network.
        drop_path: Stochastic depth per sample.
    """

    def __init__(
        self,
        dim: int,
        num_layers: int = 3,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.15,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.layers = EncoderStack(
            num_layers, dim, num_heads, hidden_dim, dropout=dropout, drop_path=drop_path
        )

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.Encoder`."""
        parts: list[tuple[Tensor, Tensor, Tensor]] = []
        if state.context is not None:
            token = state.context.unsqueeze(1)
            always = state.video_mask.new_ones(len(token), 1)
            parts.append((token, always, torch.zeros_like(token)))
        parts.append((state.fused, state.video_mask, state.video_pos))
        if state.fused_text is not None:
            parts.append((state.fused_text, state.text_mask, state.text_pos))
        tokens, mask, position = (torch.cat(column, dim=1) for column in zip(*parts))
        encoded = self.layers(tokens, mask, position).split([part[0].shape[1] for part in parts], 1)

        outputs = list(encoded)
        values: dict[str, Any] = {}
        if state.context is not None:
            values['context'] = outputs.pop(0).squeeze(1)
        values['memory'] = outputs.pop(0)
        if outputs:
            values['memory_text'] = outputs.pop(0)
        return values
