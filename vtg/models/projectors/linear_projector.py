# SPDX-License-Identifier: Apache-2.0
"""Projection of features to the model width by a stack of linear layers."""

import math

from torch import Tensor, nn

from vtg.models.base import Projector
from vtg.models.layers import Dropout, xavier_linear
from vtg.registry import MODELS


@MODELS.register_module()
class LinearProjector(Projector):
    """``LayerNorm - Dropout - Linear - ReLU`` blocks, the last one without ReLU.

    The input projection of Moment-DETR (Lei et al., 2021) and all systems built on it.

    Args:
        in_dim: Width of the features, temporal endpoint features included.
        dim: Width of the tokens.
        num_layers: Number of blocks.
        dropout: Dropout before every linear layer.
        xavier: Initialise Xavier-uniform with zero biases instead of PyTorch's default.
    """

    def __init__(
        self, in_dim: int, dim: int, num_layers: int = 2, dropout: float = 0.5, xavier: bool = False
    ) -> None:
        super().__init__()
        self.in_dim = in_dim
        self.dim = dim
        layers: list[nn.Module] = []
        for index in range(num_layers):
            last = index == num_layers - 1
            linear = nn.Linear(in_dim if index == 0 else dim, dim)
            if xavier:
                xavier_linear(linear, 1.0 if last else math.sqrt(2.0))
            layers += [nn.LayerNorm(linear.in_features), Dropout(dropout), linear]
            if not last:
                layers.append(nn.ReLU())
        self.layers = nn.Sequential(*layers)

    def project(self, features: Tensor, mask: Tensor) -> Tensor:
        """``(B, ·, in_dim)`` to ``(B, ·, dim)``; positions do not mix, so no mask is needed."""
        return self.layers(features)
