# SPDX-License-Identifier: Apache-2.0
"""Residual convolutions over the fused clips."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Encoder
from vtg.models.layers import MaskedBatchNorm1d, MaskedConv1d
from vtg.registry import MODELS
from vtg.structures import GroundingState


class ResidualConvBlock(nn.Module):
    """``ReLU(x + BN(conv(ReLU(BN(conv(x))))))`` with convolutions of width 3.

    Args:
        dim: Channels.
        mask_padding: See :class:`ResidualConvEncoder`.
    """

    def __init__(self, dim: int, mask_padding: bool = True) -> None:
        super().__init__()
        self.conv1 = MaskedConv1d(dim, dim, mask_padding=mask_padding)
        self.norm1 = MaskedBatchNorm1d(dim, mask_padding)
        self.conv2 = MaskedConv1d(dim, dim, mask_padding=mask_padding)
        self.norm2 = MaskedBatchNorm1d(dim, mask_padding)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``(B, L, D)`` and ``(B, L)`` to ``(B, L, D)``; padded clips hold anything."""
        inner = F.relu(self.norm1(self.conv1(x, mask), mask))
        return F.relu(x + self.norm2(self.conv2(inner, mask), mask))


@MODELS.register_module()
class ResidualConvEncoder(Encoder):
    """Residual convolution blocks over the clips (LD-DETR, Zhao et al., arXiv 2501.10787).

    Text tokens and a context token, where the fusion gives them, stay as they are.

    Args:
        dim: Token width.
        num_blocks: Blocks of two convolutions of width 3.
        mask_padding: False lets convolutions and batch statistics see whatever the padded positions
            hold.
    """

    requires = ('fused',)
    reads = ('fused_text',)
    joint = False  # batch statistics: in training a sample sees the others

    def __init__(self, dim: int, num_blocks: int = 5, mask_padding: bool = True) -> None:
        super().__init__()
        self.dim = dim
        self.blocks = nn.ModuleList(ResidualConvBlock(dim, mask_padding) for _ in range(num_blocks))

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``memory (B, L, D)``."""
        memory = state.fused
        for block in self.blocks:
            memory = block(memory, state.video_mask)
        values: dict[str, Any] = {'memory': memory}
        if state.fused_text is not None:
            values['memory_text'] = state.fused_text
        return values
