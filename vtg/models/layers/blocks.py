# SPDX-License-Identifier: Apache-2.0
"""Small building blocks: perceptrons, feed-forward networks."""

import copy
import itertools
import math
from typing import Literal

import torch
from torch import Tensor, nn

from vtg.utils import ConfigError

from .dropout import Dropout
from .prelu import PReLU

Activation = Literal['prelu', 'relu', 'gelu']
ACTIVATIONS: dict[str, type[nn.Module]] = {'prelu': PReLU, 'relu': nn.ReLU, 'gelu': nn.GELU}


def xavier_linear(layer: nn.Linear, gain: float = 1.0, bias: float | None = 0.0) -> nn.Linear:
    """Initialise a linear layer Xavier-uniform; ``bias=None`` keeps PyTorch's bias."""
    nn.init.xavier_uniform_(layer.weight, gain)
    if bias is not None and layer.bias is not None:
        nn.init.constant_(layer.bias, bias)
    return layer


def clones(module: nn.Module, count: int) -> nn.ModuleList:
    """Return ``count`` copies that start with identical weights, as DETR stacks do."""
    return nn.ModuleList(copy.deepcopy(module) for _ in range(count))


class MLP(nn.Sequential):
    """Linear layers with ReLU between them.

    Args:
        dims: Widths from input to output, e.g. ``(256, 256, 2)`` for two layers.
        zero_last: Start with an all-zero last layer, so that a residual use starts as identity.
        xavier: Initialise Xavier-uniform with zero biases; False keeps PyTorch's initialisation.
    """

    def __init__(self, *dims: int, zero_last: bool = False, xavier: bool = True) -> None:
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(itertools.pairwise(dims)):
            last = index == len(dims) - 2
            linear = nn.Linear(before, after)
            if xavier:
                xavier_linear(linear, 1.0 if last else math.sqrt(2.0))
            layers.append(linear)
            if not last:
                layers.append(nn.ReLU())
        super().__init__(*layers)
        if zero_last:
            for parameter in self[-1].parameters():
                nn.init.zeros_(parameter)


class FeedForward(nn.Sequential):
    """``Linear - activation - Dropout - Linear``, the position-wise network of transformer layers.

    Args:
        dim: Token width.
        hidden_dim: Width inside.
        dropout: After the activation.
        activation: ``'prelu'`` (one learned slope, starting at 0.25), ``'relu'`` or ``'gelu'``.
    """

    def __init__(
        self, dim: int, hidden_dim: int, dropout: float = 0.1, activation: Activation = 'prelu'
    ) -> None:
        if activation not in ACTIVATIONS:
            known = ', '.join(ACTIVATIONS)
            raise ConfigError(f'activation must be one of {known}; got {activation!r}.')
        gain = math.sqrt(2.0)
        if activation == 'prelu':
            gain = nn.init.calculate_gain('leaky_relu', 0.25)
        super().__init__(
            xavier_linear(nn.Linear(dim, hidden_dim), gain),
            ACTIVATIONS[activation](),
            Dropout(dropout),
            xavier_linear(nn.Linear(hidden_dim, dim)),
        )


def masked_fill_zero(x: Tensor, mask: Tensor) -> Tensor:
    """Zero the padded positions of ``x (B, L, D)``; ``mask (B, L)`` True = real."""
    return torch.where(mask.unsqueeze(-1), x, x.new_zeros(()))
