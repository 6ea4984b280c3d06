# SPDX-License-Identifier: Apache-2.0
"""A decoder whose queries are learned slots (Carion et al., "DETR", 2020, along time)."""

import torch
from torch import Tensor, nn

from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import GroundingState

from .attention import ProjectedAttention
from .blocks import Activation, FeedForward, clones
from .dropout import attention_rate, residual_noise
from .init import Init, init_transformer
from .span_decoder import DecoderOutputs


class SlotDecoderLayer(nn.Module):
    """Self-attention among queries, cross-attention to the memory, feed-forward network.

    For the arguments see :class:`SlotDecoder`.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        hidden_dim: int,
        dropout: float,
        drop_path: float,
        residual_dropout: float,
        activation: Activation,
        attention_dropout: float | None,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        rate = attention_rate(dropout, attention_dropout)
        self.self_attention = ProjectedAttention(dim, num_heads, rate)
        self.cross_attention = ProjectedAttention(dim, num_heads, rate)
        self.feed_forward = FeedForward(dim, hidden_dim, dropout, activation)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(dim) for _ in range(3))
        self.noise = residual_noise(drop_path, residual_dropout)

    def forward(
        self,
        x: Tensor,
        position: Tensor,
        memory: Tensor,
        memory_mask: Tensor,
        memory_position: Tensor,
        blocked: Tensor | None = None,
    ) -> Tensor:
        """``x``, ``position (B, Q, D)``; ``memory (B, L, D)``; masks True = real; ``blocked``
        ``(Q, Q)`` or ``(B, Q, Q)`` True = must not see."""
        query = x + position
        attended = self.self_attention(query, query, x, blocked=blocked)
        x = self.norm1(x + self.noise(attended))
        attended = self.cross_attention(x + position, memory + memory_position, memory, memory_mask)
        x = self.norm2(x + self.noise(attended))
        return self.norm3(x + self.noise(self.feed_forward(x)))


@MODELS.register_module()
class SlotDecoder(nn.Module):
    """Decoder of learned slots: each query has a learned position and no span of its own.

    Args:
        dim: Token width.
        num_layers: Number of layers; without ``init`` they start with identical weights.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward networks.
        dropout: Inside the feed-forward networks.
        drop_path: Stochastic depth per sample.
        residual_dropout: Dropout of single elements on the residual branches.
        activation: Of the feed-forward networks.
        init: Initialise as DETR's code does, see :func:`init_transformer`.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    slot = 'decoder'
    predicts_spans = False
    contents = 1
    requires: tuple[str, ...] = ()
    refines_spans = False
    shares_refinement = False

    def __init__(
        self,
        dim: int,
        num_layers: int = 2,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.0,
        residual_dropout: float = 0.1,
        activation: Activation = 'relu',
        init: Init = 'xavier',
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        # What is predicted without a reference.
        self.coder = TASK_UTILS.build(dict(type='CentreWidthCoder'))
        layer = SlotDecoderLayer(
            dim, num_heads, hidden_dim, dropout, drop_path, residual_dropout, activation,
            attention_dropout,
        )  # fmt: skip
        self.layers = clones(layer, num_layers)
        self.norm = nn.LayerNorm(dim)
        init_transformer(self, init)

    def forward(
        self,
        content: Tensor,
        position: Tensor,
        memory: Tensor,
        memory_mask: Tensor,
        memory_position: Tensor,
        blocked: Tensor | None = None,
        state: GroundingState | None = None,
    ) -> DecoderOutputs:
        """Decode.

        Args:
            content: ``(B, Q, D)`` content queries.
            position: ``(B, Q, D)`` learned positions.
            memory: ``(B, L, D)``.
            memory_mask: ``(B, L)`` True = real.
            memory_position: ``(B, L, D)``.
            blocked: ``(Q, Q)`` or ``(B, Q, Q)`` True where the row's query must not see the
                column's.
            state: For decoders that read more than that; this one does not.

        Returns:
            States of all layers, without references.
        """
        x, hidden = content, []
        for layer in self.layers:
            x = layer(x, position, memory, memory_mask, memory_position, blocked)
            hidden.append(x)
        states = torch.stack(hidden)
        return DecoderOutputs(states, self.norm(states))
