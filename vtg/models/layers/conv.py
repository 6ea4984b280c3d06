# SPDX-License-Identifier: Apache-2.0
"""One-dimensional convolutions over batch-first sequences ``(B, L, D)`` that ignore padding."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import masked_fill_zero


def convolve(conv: nn.Conv1d, x: Tensor) -> Tensor:
    """Apply a convolution that pads with zeros to ``x (B, L, D)``; returns ``(B, L', D')``.

    On a CPU it is a convolution of pictures of one row whose channels lie last, or a matrix
    product: the kernels read and write these as they are, where ``conv`` lays out the channels
    anew before and after. With gradients that pays for depthwise convolutions alone.
    """
    if x.device.type != 'cpu' or (conv.groups == 1 and torch.is_grad_enabled()):
        return conv(x.mT).mT
    if conv.kernel_size == conv.stride == (1,) and conv.groups == 1:
        return F.linear(x, conv.weight.squeeze(2), conv.bias)
    rows = F.conv2d(
        x.unsqueeze(1).permute(0, 3, 1, 2),
        conv.weight.unsqueeze(2),
        conv.bias,
        stride=(1, *conv.stride),
        padding=(0, int(conv.padding[0])),
        groups=conv.groups,
    )
    return rows.permute(0, 2, 3, 1).squeeze(1)


class MaskedConv1d(nn.Module):
    """A convolution that reads zeros on padding, so a sample gives the same result in any batch.

    Args:
        in_dim: Input channels.
        out_dim: Output channels.
        kernel_size: Odd; the sequence is padded by half of it on both sides.
        bias: Whether the convolution has a bias.
        mask_padding: False reads whatever the padded positions hold, as some published code does.
        init_std: Standard deviation of the normal initialisation; None keeps PyTorch's.
    """

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        kernel_size: int = 3,
        bias: bool = True,
        mask_padding: bool = True,
        init_std: float | None = None,
    ) -> None:
        super().__init__()
        self.mask_padding = mask_padding
        self.conv = nn.Conv1d(in_dim, out_dim, kernel_size, padding=kernel_size // 2, bias=bias)
        if init_std is not None:
            nn.init.normal_(self.conv.weight, std=init_std)
            if self.conv.bias is not None:
                nn.init.zeros_(self.conv.bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``(B, L, in_dim)`` and ``(B, L)`` to ``(B, L, out_dim)``."""
        if self.mask_padding:
            x = masked_fill_zero(x, mask)
        return convolve(self.conv, x)


class SeparableConv1d(nn.Module):
    """Depthwise convolution of width 3 followed by a pointwise one, both without bias.

    Args:
        dim: Channels.
        stride: 1, or 2 to halve the length.
        mask_padding: See :class:`MaskedConv1d`.
        init_std: Standard deviation of the normal initialisation.
    """

    def __init__(
        self, dim: int, stride: int = 1, mask_padding: bool = True, init_std: float = 0.01
    ) -> None:
        super().__init__()
        self.mask_padding = mask_padding
        self.depthwise = nn.Conv1d(dim, dim, 3, stride, padding=1, groups=dim, bias=False)
        self.pointwise = nn.Conv1d(dim, dim, 1, bias=False)
        for conv in (self.depthwise, self.pointwise):
            nn.init.normal_(conv.weight, std=init_std)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``(B, L, D)`` and ``(B, L)`` to ``(B, ceil(L / stride), D)``."""
        if self.mask_padding:
            x = masked_fill_zero(x, mask)
        return convolve(self.pointwise, convolve(self.depthwise, x))
