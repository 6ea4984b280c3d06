# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation over padded sequences."""

import torch
from torch import Tensor, nn

from vtg.structures import in_float32

from .blocks import masked_fill_zero


class MaskedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation (Ioffe & Szegedy, 2015) whose statistics are those of real positions.

    In training, mean and variance run over the real positions of the batch, so samples of a batch
    still depend on each other, but not on padding. In evaluation the running statistics are used.

    Args:
        dim: Channels.
        mask_padding: False also counts whatever the padded positions hold, as some published code
            does.
    """

    def __init__(self, dim: int, mask_padding: bool = True) -> None:
        super().__init__(dim)
        self.mask_padding = mask_padding

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        """``(B, L, D)`` and ``(B, L)`` True = real to ``(B, L, D)``."""
        x = in_float32(x)
        if not self.training:
            return super().forward(x.transpose(1, 2)).transpose(1, 2)
        if not self.mask_padding:
            mask = torch.ones_like(mask)
        count = mask.sum().to(x.dtype)
        some = count.clamp(min=1)
        mean = masked_fill_zero(x, mask).sum(dim=(0, 1)) / some
        centred = x - mean
        variance = masked_fill_zero(centred.square(), mask).sum(dim=(0, 1)) / some
        self._track(mean.detach(), variance.detach(), count)
        return centred * (variance + self.eps).rsqrt() * self.weight + self.bias

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Move the running statistics, which hold the unbiased variance, as PyTorch does."""
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        unbiased = variance * count / (count - 1).clamp(min=1)
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
