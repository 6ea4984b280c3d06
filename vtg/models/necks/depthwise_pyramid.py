# SPDX-License-Identifier: Apache-2.0
"""A feature pyramid of depthwise-separable convolutions."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Neck
from vtg.models.layers import SeparableConv1d, masked_fill_zero
from vtg.registry import MODELS
from vtg.structures import FeaturePyramid, GroundingState


def pad_clips(x: Tensor, multiple: int) -> Tensor:
    """Zero-pad (or pad with False) dimension 1 of ``(B, L, ...)`` to a multiple of ``multiple``."""
    missing = -x.shape[1] % multiple
    if missing == 0:
        return x
    widths = (0, 0) * (x.ndim - 2) + (0, missing)
    return F.pad(x, widths)


class PyramidLevel(nn.Module):
    """Two separable convolutions with LayerNorm, GELU between them.

    Args:
        dim: Channels.
        stride: Stride of the first convolution.
        activate_input: Start with GELU, for a level that reads another level's output.
        mask_padding: Zero the padding before each convolution.
    """

    def __init__(self, dim: int, stride: int, activate_input: bool, mask_padding: bool) -> None:
        super().__init__()
        self.stride = stride
        self.activate_input = activate_input
        self.conv1 = SeparableConv1d(dim, stride, mask_padding)
        self.norm1 = nn.LayerNorm(dim)
        self.conv2 = SeparableConv1d(dim, 1, mask_padding)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, L, D)`` and its mask to features and mask of length ``L / stride``."""
        if self.activate_input:
            x = F.gelu(x)
        x = F.gelu(self.norm1(self.conv1(x, mask)))
        if self.stride > 1:
            mask = mask.unflatten(1, (-1, self.stride)).any(dim=-1)
        return self.norm2(self.conv2(x, mask)), mask


@MODELS.register_module()
class DepthwisePyramid(Neck):
    """Features at half, one, two and four clips per cell, without lateral connections.

    The feature pyramid of SG-DETR (arXiv 2410.01615; layer layout of the released code). The
    coarsest level reads the one before it, all others read the memory. Sequences whose length is no
    multiple of four are padded inside.

    Args:
        dim: Channels.
        mask_padding: Zero the padding before each convolution. False is the published behaviour:
            cells near the end of a video then depend on the padding of its batch.
    """

    provides = ('pyramid',)
    strides = (0.5, 1.0, 2.0, 4.0)

    def __init__(self, dim: int, mask_padding: bool = True) -> None:
        super().__init__()
        self.dim = dim
        self.mask_padding = mask_padding
        self.up2 = PyramidLevel(dim, 1, False, mask_padding)
        self.same = PyramidLevel(dim, 1, False, mask_padding)
        self.down2 = PyramidLevel(dim, 2, False, mask_padding)
        self.down4 = PyramidLevel(dim, 2, True, mask_padding)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``pyramid`` with lengths 2L, L, L/2 and L/4."""
        memory = pad_clips(state.for_moments, 4)
        mask = pad_clips(state.video_mask, 4)
        up2 = self.up2(memory.repeat_interleave(2, 1), mask.repeat_interleave(2, 1))
        same = self.same(memory, mask)
        down2 = self.down2(memory, mask)
        down4 = self.down4(*down2)
        features, masks = map(list, zip(up2, same, down2, down4))
        if self.mask_padding:
            features = [masked_fill_zero(x, m) for x, m in zip(features, masks)]
        return {'pyramid': FeaturePyramid(tuple(features), tuple(masks), self.strides)}
