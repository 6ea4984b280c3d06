# SPDX-License-Identifier: Apache-2.0
"""PReLU with a backward pass that is cheap on a CPU."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class _SharedSlope(torch.autograd.Function):
    """PReLU with one slope for all channels.

    PyTorch's kernel writes the gradient of the slope for every element before it sums them, not
    vectorised; here both gradients are plain vectorised operations.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(x, slope)
        return torch.prelu(x, slope)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, slope = ctx.saved_tensors
        wide = torch.promote_types(x.dtype, torch.float32)
        share = x.clamp(max=0).mul_(gradient).sum(dtype=wide).to(slope.dtype).view(1)
        # The gradient above zero, and on the way from it to the whole gradient below.
        above = torch.ops.aten.threshold_backward(gradient, x, 0)
        return above.lerp_(gradient, slope), share


class PReLU(nn.PReLU):
    """``max(0, x) + weight * min(0, x)``, in place of ``torch.nn.PReLU``; values are identical."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape to the same shape."""
        cheap = self.num_parameters == 1 and input.device.type == 'cpu' and torch.is_grad_enabled()
        if not cheap or torch.compiler.is_compiling():
            return super().forward(input)
        return _SharedSlope.apply(input, self.weight.to(input.dtype))
