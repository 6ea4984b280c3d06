# SPDX-License-Identifier: Apache-2.0
"""Sinusoidal codes of clip positions and of spans.

Vaswani et al., "Attention is all you need", 2017; Liu et al., "DAB-DETR", 2022.
"""

import math

import torch
from torch import Tensor

from vtg.structures import in_float32

TEMPERATURE = 10000.0


def _interleaved_sine(angle: Tensor, dim: int, temperature: float) -> Tensor:
    """``(...)`` angles to ``(..., dim)``: sine in even channels, cosine in odd ones."""
    channel = torch.arange(dim, device=angle.device, dtype=torch.float32)
    frequency = temperature ** (2 * torch.div(channel, 2, rounding_mode='floor') / dim)
    phase = angle.unsqueeze(-1) / frequency
    return torch.where(channel.long() % 2 == 0, phase.sin(), phase.cos())


def sine_clip_positions(mask: Tensor, dim: int, temperature: float = TEMPERATURE) -> Tensor:
    """Encode clip positions relative to the sample's own length.

    Args:
        mask: ``(B, L)`` True = real; real clips come first.
        dim: Number of channels.
        temperature: Base of the geometric progression of wavelengths.

    Returns:
        ``(B, L, dim)``: clip i of n is encoded at the angle ``2 pi (i + 1) / n``.
    """
    count = mask.float().cumsum(dim=1)
    angle = count / (count[:, -1:] + 1e-6) * (2 * math.pi)
    return _interleaved_sine(angle, dim, temperature)


def sine_span_embedding(spans: Tensor, dim: int, temperature: float = TEMPERATURE) -> Tensor:
    """Encode normalised spans, half of the channels for the centre and half for the width.

    Args:
        spans: ``(..., 2)`` centre and width in [0, 1].
        dim: Number of channels, even.
        temperature: As above.

    Returns:
        ``(..., dim)``: centre first.
    """
    return _interleaved_sine(in_float32(spans) * (2 * math.pi), dim // 2, temperature).flatten(-2)
