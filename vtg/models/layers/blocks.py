# SPDX-License-Identifier: Apache-2.0
"""Small building blocks: perceptrons, feed-forward networks, stochastic depth."""

import copy
import itertools
import math
from typing import Literal

import torch
from torch import Tensor, nn

from vtg.utils import ConfigError

Activation = Literal['prelu', 'relu', 'gelu']
ACTIVATIONS: dict[str, type[nn.Module]] = {'prelu': nn.PReLU, 'relu': nn.ReLU, 'gelu': nn.GELU}


def xavier_linear(layer: nn.Linear, gain: float = 1.0, bias: float | None = 0.0) -> nn.Linear:
    """Initialise a linear layer Xavier-uniform; ``bias=None`` keeps PyTorch's bias."""
    nn.init.xavier_uniform_(layer.weight, gain)
    if bias is not None and layer.bias is not None:
        nn.init.constant_(layer.bias, bias)
    return layer


def clones(module: nn.Module, count: int) -> nn.ModuleList:
    """Return ``count`` copies that start with identical weights, as DETR stacks do."""
    return nn.ModuleList(copy.deepcopy(module) for _ in range(count))


class DropPath(nn.Module):
    """Stochastic depth per sample (Huang et al., "Deep Networks with Stochastic Depth", 2016).

    Drops the whole branch of a sample with probability ``rate`` and scales the survivors.
    """

    def __init__(self, rate: float = 0.0) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """``(B, ...)`` to ``(B, ...)``."""
        if not self.training or self.rate == 0.0:
            return x
        keep = 1.0 - self.rate
        shape = (x.shape[0],) + (1,) * (x.ndim - 1)
        return x * x.new_empty(shape).bernoulli_(keep) / keep

    def extra_repr(self) -> str:
        return f'rate={self.rate}'


def residual_noise(drop_path: float = 0.0, dropout: float = 0.0) -> nn.Module:
    """Noise on a residual branch: whole branches of a sample, single elements, both or none."""
    parts: list[nn.Module] = []
    if drop_path > 0:
        parts.append(DropPath(drop_path))
    if dropout > 0:
        parts.append(nn.Dropout(dropout))
    return nn.Sequential(*parts)


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
            nn.init.zeros_(self[-1].weight)
            nn.init.zeros_(self[-1].bias)


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
            nn.Dropout(dropout),
            xavier_linear(nn.Linear(hidden_dim, dim)),
        )


def masked_fill_zero(x: Tensor, mask: Tensor) -> Tensor:
    """Zero the padded positions of ``x (B, L, D)``; ``mask (B, L)`` True = real."""
    return torch.where(mask.unsqueeze(-1), x, x.new_zeros(()))
