# SPDX-License-Identifier: Apache-2.0
"""Attention of a point in time to a few clips around it (Zhu et al., "Deformable DETR", 2021)."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.structures import in_float32

from .blocks import Activation, FeedForward
from .dropout import residual_noise


class DeformableAttention(nn.Module):
    """Reads a sequence at ``num_points`` places per head, at learned distances from a point.

    As BAM-DETR samples its boundary features (Lee and Byun, 2024, section 3.3): the distances are
    in clips, values between two clips are interpolated, and the heads are put together channel by
    channel.

    Args:
        dim: Width of the queries.
        source_dim: Width of the sequence.
        num_heads: Attention heads.
        num_points: Places per head, K.
        length: ``'own'``: a point is a fraction of the video and 1 is its last clip; ``'padded'``:
            1 is the last clip of the longest video of the batch, as in the released code.
    """

    def __init__(
        self,
        dim: int,
        source_dim: int,
        num_heads: int,
        num_points: int = 4,
        length: Literal['own', 'padded'] = 'own',
    ) -> None:
        super().__init__()
        self.num_heads, self.num_points, self.length = num_heads, num_points, length
        self.offsets = nn.Linear(dim, num_heads * num_points)
        self.weights = nn.Linear(dim, num_heads * num_points)
        self.value = nn.Linear(source_dim, dim)
        self.output = nn.Linear(dim, dim)
        self.reset_biases()

    def reset_biases(self) -> None:
        """Let the places of every head begin 1 to K clips behind the point, with equal weights."""
        with torch.no_grad():
            steps = torch.arange(1.0, self.num_points + 1)
            self.offsets.bias.copy_(steps.repeat(self.num_heads))
            self.weights.bias.zero_()

    def places(self, query: Tensor, point: Tensor, mask: Tensor) -> Tensor:
        """Where it reads, ``(B, Q, H, K)`` in clips; arguments as in :meth:`forward`."""
        offsets = in_float32(self.offsets(query)).unflatten(-1, (self.num_heads, self.num_points))
        count = mask.sum(dim=1)[:, None, None, None].to(offsets.dtype)
        place = point[..., None, None] + offsets / count
        if self.length == 'own':
            return place.clamp(0, 1) * (count - 1)
        size = mask.shape[1]
        return (place * count / size).clamp(0, 1) * (size - 1)

    def forward(self, query: Tensor, point: Tensor, source: Tensor, mask: Tensor) -> Tensor:
        """Attend.

        Args:
            query: ``(B, Q, D)``.
            point: ``(B, Q)`` in [0, 1], a fraction of the video.
            source: ``(B, L, D')``.
            mask: ``(B, L)`` True = real.

        Returns:
            ``(B, Q, D)``.
        """
        place = self.places(query, point, mask)
        weights = self.weights(query).unflatten(-1, (self.num_heads, self.num_points))
        weights = in_float32(weights).softmax(dim=-1)
        # Interpolation between the two clips beside a place, as weights of all clips.
        clips = torch.arange(mask.shape[1], device=mask.device, dtype=place.dtype)
        near = F.relu(1 - (place.unsqueeze(-1) - clips).abs())  # (B, Q, H, K, L)
        attention = torch.einsum('bqhk,bqhkl->bhql', weights, near)
        value = self.value(source).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        read = attention.to(value.dtype) @ value  # (B, H, Q, D / H)
        return self.output(read.permute(0, 2, 3, 1).flatten(2))


class DeformableLayer(nn.Module):
    """Deformable attention and a feed-forward network, each with a residual and a LayerNorm;
    queries do not see each other.

    Arguments as in :class:`DeformableAttention` and :class:`vtg.models.layers.EncoderLayer`.
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
        num_points: int,
        length: Literal['own', 'padded'],
    ) -> None:
        super().__init__()
        self.attention = DeformableAttention(dim, 2 * dim, num_heads, num_points, length)
        self.norm1 = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, hidden_dim, dropout, activation)
        self.norm2 = nn.LayerNorm(dim)
        self.noise = residual_noise(drop_path, residual_dropout)

    def forward(self, x: Tensor, point: Tensor, source: Tensor, mask: Tensor) -> Tensor:
        """See :class:`DeformableAttention`; the source is twice as wide as ``x``."""
        x = self.norm1(x + self.noise(self.attention(x, point, source, mask)))
        return self.norm2(x + self.noise(self.feed_forward(x)))
