# SPDX-License-Identifier: Apache-2.0
"""Projection of features to the model width by a stack of convolutions."""

from torch import Tensor, nn

from vtg.models.base import Projector
from vtg.models.layers import Dropout, MaskedConv1d
from vtg.registry import MODELS


class ConvBlock(nn.Module):
    """``LayerNorm - Dropout - Conv1d``, and ReLU where ``relu`` is set."""

    def __init__(self, in_dim: int, dim: int, kernel_size: int, dropout: float, relu: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(in_dim)
        self.dropout = Dropout(dropout)
        # A kernel of width 1 reads no neighbour, so nothing has to be masked.
        self.conv = MaskedConv1d(in_dim, dim, kernel_size, mask_padding=kernel_size > 1)
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``(B, L, in_dim)`` and its mask to ``(B, L, dim)``."""
        return self.relu(self.conv(self.dropout(self.norm(x)), mask))


@MODELS.register_module()
class ConvProjector(Projector):
    """``LayerNorm - Dropout - Conv1d - ReLU`` blocks, the last one without ReLU.

    VideoLights (Paul et al., arXiv 2412.01558), section III-A. Its kernel is 1 wide, so that every
    token is projected on its own; wider ones mix neighbours and read zeros on padding.

    Args:
        in_dim: Width of the features, temporal endpoint features included.
        dim: Width of the tokens.
        num_layers: Number of blocks.
        kernel_size: Odd width of the convolutions.
        dropout: Dropout before every convolution.
        last_relu: ReLU behind the last block too, as the paper has it and its code has not.
    """

    def __init__(
        self,
        in_dim: int,
        dim: int,
        num_layers: int = 2,
        kernel_size: int = 1,
        dropout: float = 0.5,
        last_relu: bool = False,
    ) -> None:
        super().__init__()
        self.in_dim = in_dim
        self.dim = dim
        self.blocks = nn.ModuleList(
            ConvBlock(
                in_dim if index == 0 else dim,
                dim,
                kernel_size,
                dropout,
                relu=last_relu or index < num_layers - 1,
            )
            for index in range(num_layers)
        )

    def project(self, features: Tensor, mask: Tensor) -> Tensor:
        """``(B, ·, in_dim)`` and its mask to ``(B, ·, dim)``."""
        for block in self.blocks:
            features = block(features, mask)
        return features
