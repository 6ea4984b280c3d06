# SPDX-License-Identifier: Apache-2.0
"""All dropout of the toolbox, with masks that cost little.

On a CPU ``torch.nn.functional.dropout`` spends most of its time drawing one float64 per element.
Here four elements share one 64-bit draw, which takes a seventh of that. Accelerators have a fused
kernel that draws, drops and scales, which is used there and by ``torch.compile``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LEVELS = 2**16


def _drawn(shape: torch.Size, p: float, like: Tensor) -> Tensor:
    """``0`` with probability ``p``, else ``1 / (1 - p)``, as ``like`` in type and device.

    ``p`` is rounded to a multiple of 2^-16, and the factor belongs to the rounded one, so that the
    mean is 1. At least one level is dropped and kept where ``p`` is neither 0 nor 1.
    """
    if like.device.type != 'cpu' or torch.compiler.is_compiling():
        return like.new_empty(shape).bernoulli_(1 - p).div_(1 - p)
    dropped = min(max(round(p * _LEVELS), 1), _LEVELS - 1)
    count, last = shape.numel(), shape[-1] if shape else 1
    if last % 4 == 0:
        draws = torch.empty((*shape[:-1], last // 4), dtype=torch.int64)
        levels = draws.random_(-(2**63), None).view(torch.int16)
    else:
        draws = torch.empty(-(-count // 4), dtype=torch.int64)
        levels = draws.random_(-(2**63), None).view(torch.int16)[:count].view(shape)
    kept = torch.empty(shape, dtype=like.dtype)
    torch.ge(levels, dropped - _LEVELS // 2, out=kept)
    return kept.mul_(_LEVELS / (_LEVELS - dropped))


def dropout(x: Tensor, p: float, training: bool = True) -> Tensor:
    """Zero elements with probability ``p`` and scale the others by ``1 / (1 - p)``.

    Without training, or with ``p = 0``, it is ``x`` itself. What is drawn follows PyTorch's global
    generator. Any shape and floating-point type.
    """
    if not training or p == 0.0:
        return x
    if p == 1.0 or x.device.type != 'cpu' or torch.compiler.is_compiling():
        return F.dropout(x, p)
    return x * _drawn(x.shape, p, x)


def attention_rate(dropout: float, attention_dropout: float | None) -> float:
    """The rate on attention weights: one of its own, or that of the rest of the component."""
    return dropout if attention_dropout is None else attention_dropout


class Dropout(nn.Dropout):
    """:func:`dropout` as a module, in place of ``torch.nn.Dropout``."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return dropout(input, self.p, self.training)


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
        return x * _drawn(torch.Size((x.shape[0],) + (1,) * (x.ndim - 1)), self.rate, x)

    def extra_repr(self) -> str:
        return f'rate={self.rate}'


def residual_noise(drop_path: float = 0.0, dropout: float = 0.0) -> nn.Module:
    """Noise on a residual branch: whole branches of a sample, single elements, both or none."""
    parts: list[nn.Module] = []
    if drop_path > 0:
        parts.append(DropPath(drop_path))
    if dropout > 0:
        parts.append(Dropout(dropout))
    return nn.Sequential(*parts)
