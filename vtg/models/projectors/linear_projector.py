# SPDX-License-Identifier: Apache-2.0
"""Projection of features to the model width by a stack of linear layers."""

import math
from typing import Literal

from torch import Tensor, nn

from vtg.models.base import Projector
from vtg.models.layers import Dropout, init_linears_normal, xavier_linear
from vtg.registry import MODELS
from vtg.utils import check_choice


@MODELS.register_module()
class LinearProjector(Projector):
    """``LayerNorm - Dropout - Linear - ReLU`` blocks, the last one without ReLU.

    The input projection of Moment-DETR (Lei et al., 2021) and all systems built on it. UMT (Liu et
    al., CVPR 2022) has one block, without a norm for the clips and with the norm behind it for the
    words.

    Args:
        in_dim: Width of the features, temporal endpoint features included.
        dim: Width of the tokens.
        num_layers: Number of blocks.
        dropout: Dropout before every linear layer.
        xavier: Initialise Xavier-uniform with zero biases instead of PyTorch's default, or
            Xavier-normal where it is ``'normal'``.
        norm: Place of the LayerNorm in every block: ``'before'`` the linear layer, ``'after'`` it,
            or None for no norm.
        bias: Give the linear layers a bias.
    """

    def __init__(
        self,
        in_dim: int,
        dim: int,
        num_layers: int = 2,
        dropout: float = 0.5,
        xavier: bool | Literal['normal'] = False,
        norm: Literal['before', 'after'] | None = 'before',
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_choice(norm, ('before', 'after', None), 'LinearProjector: norm')
        self.in_dim = in_dim
        self.dim = dim
        layers: list[nn.Module] = []
        for index in range(num_layers):
            last = index == num_layers - 1
            linear = nn.Linear(in_dim if index == 0 else dim, dim, bias=bias)
            if xavier is True:
                xavier_linear(linear, 1.0 if last else math.sqrt(2.0))
            if norm == 'before':
                layers.append(nn.LayerNorm(linear.in_features))
            layers += [Dropout(dropout), linear]
            if norm == 'after':
                layers.append(nn.LayerNorm(dim))
            if not last:
                layers.append(nn.ReLU())
        self.layers = nn.Sequential(*layers)
        if xavier == 'normal':
            init_linears_normal(self)

    def project(self, features: Tensor, mask: Tensor) -> Tensor:
        """``(B, ·, in_dim)`` to ``(B, ·, dim)``; positions do not mix, so no mask is needed."""
        return self.layers(features)
