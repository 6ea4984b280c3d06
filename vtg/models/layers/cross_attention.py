# SPDX-License-Identifier: Apache-2.0
"""Several layers in which one sequence takes from another that does not change."""

from typing import Literal

from torch import Tensor, nn

from .attention import tiled_padding_mask
from .blocks import Activation, clones
from .init import Init, init_transformer
from .transformer import CrossAttentionLayer


class CrossAttentionStack(nn.Module):
    """One sequence takes from another, in a few layers over the same other one.

    Clips look at words so in QD-DETR (Moon et al., "Query-Dependent Video Representation", 2023,
    section 3.1), words at clips in UVCOM (Xiao et al., CVPR 2024, section 3.2).

    Args:
        dim: Token width.
        num_layers: Number of layers; without ``init`` they start with identical weights.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward network.
        dropout: Inside the feed-forward network.
        drop_path: Stochastic depth per sample on the residual branches.
        residual_dropout: Dropout of single elements on the residual branches.
        activation: Of the feed-forward network.
        mask_layout: ``'correct'``, or ``'tiled'``: block the other sequence by the padding of other
            samples, as the released code does, see :func:`vtg.models.layers.tiled_padding_mask`.
        init: Initialise as DETR's code does, see :func:`vtg.models.layers.init_transformer`.
        attention_dropout: On attention weights; None takes ``dropout``.
    """

    def __init__(
        self,
        dim: int,
        num_layers: int = 2,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.0,
        residual_dropout: float = 0.1,
        activation: Activation = 'prelu',
        mask_layout: Literal['correct', 'tiled'] = 'correct',
        init: Init = 'xavier',
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim: int | None = dim
        self.num_heads = num_heads
        self.mask_layout = mask_layout
        self.joint = mask_layout == 'correct'
        layer = CrossAttentionLayer(
            dim, num_heads, hidden_dim, dropout, drop_path, residual_dropout, activation,
            attention_dropout,
        )  # fmt: skip
        self.layers = clones(layer, num_layers)
        init_transformer(self, init)

    def attend(
        self,
        x: Tensor,
        position: Tensor,
        mask: Tensor,
        source: Tensor,
        source_position: Tensor,
        source_mask: Tensor,
    ) -> Tensor:
        """What the sequence becomes.

        Args:
            x, position: ``(B, L, D)`` the sequence that changes.
            source, source_position: ``(B, S, D)`` the one it looks at.
            mask, source_mask: ``(B, L)`` and ``(B, S)`` True = real.

        Returns:
            ``(B, L, D)``; padded tokens hold anything.
        """
        blocked = None
        if self.mask_layout == 'tiled':
            blocked = tiled_padding_mask(mask, source_mask, self.num_heads)
        for layer in self.layers:
            x = layer(x, position, source, source_position, source_mask, blocked)
        return x
