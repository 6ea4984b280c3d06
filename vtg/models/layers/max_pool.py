# SPDX-License-Identifier: Apache-2.0
"""Maxima along time that ignore padding."""

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import masked_fill_zero


class MaskedMaxPool1d(nn.Module):
    """Maximum over a window of clips, at every clip.

    Args:
        kernel_size: Odd number of clips.
        mask_padding: False lets the last clips see whatever the padded positions hold.
    """

    def __init__(self, kernel_size: int = 5, mask_padding: bool = True) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.mask_padding = mask_padding

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``(B, L, D)`` and ``(B, L)`` True = real to ``(B, L, D)``, zero on padding."""
        if self.mask_padding:
            x = x.masked_fill(~mask.unsqueeze(-1), float('-inf'))
        x = F.max_pool1d(
            x.transpose(1, 2), self.kernel_size, stride=1, padding=self.kernel_size // 2
        ).transpose(1, 2)
        return masked_fill_zero(x, mask) if self.mask_padding else x

    def extra_repr(self) -> str:
        return f'kernel_size={self.kernel_size}, mask_padding={self.mask_padding}'
