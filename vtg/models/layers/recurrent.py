# SPDX-License-Identifier: Apache-2.0
"""A recurrent unit that ``torch.compile`` takes as one operation."""

from typing import Any

import torch
from torch import Tensor, nn


class GRU(nn.GRU):
    """``nn.GRU`` with one layer and ``(B, L, D)`` input, whose states at all steps are the result.

    ``torch.compile`` breaks its graph at PyTorch's own, or unrolls it for one length; here it sees
    one opaque operation. In eager mode nothing differs.

    Args:
        dim, hidden_dim: Channels of input and states.
    """

    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__(dim, hidden_dim, batch_first=True)

    def forward(self, rows: Tensor, *_: Any) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return the states ``(B, L, hidden_dim)``, and the last ones ``(1, B, hidden_dim)``."""
        if torch.compiler.is_compiling():
            weights = (self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0)
            states = torch.ops.vtg.gru(rows, [weight.to(rows.dtype) for weight in weights])
            return states, states[None, :, -1]
        return super().forward(rows)


def _states(rows: Tensor, weights: list[Tensor]) -> Tensor:
    start = rows.new_zeros(1, rows.shape[0], weights[1].shape[1])
    with torch.autocast(rows.device.type, enabled=False):
        states, _ = torch.gru(rows, start, weights, True, 1, 0.0, False, False, True)
    return states.contiguous()


def _gradients(grad: Tensor, rows: Tensor, weights: list[Tensor]) -> list[Tensor]:
    # An operation keeps nothing for its backward pass but what it got, so the states are made anew.
    # PyTorch switches autograd off inside of an operation.
    record = torch._C._SetExcludeDispatchKeyGuard(torch._C.DispatchKey.AutogradFunctionality, False)
    with torch.enable_grad(), record:
        inputs = [value.detach().requires_grad_() for value in (rows, *weights)]
        states = _states(inputs[0], inputs[1:])
        return [value.contiguous() for value in torch.autograd.grad(states, inputs, grad)]


def _keep(ctx: Any, inputs: tuple[Tensor, list[Tensor]], output: Tensor) -> None:
    rows, weights = inputs
    ctx.save_for_backward(rows, *weights)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor, list[Tensor]]:
    rows, *weights = ctx.saved_tensors
    first, *others = torch.ops.vtg.gru_backward(grad, rows, weights)
    return first, others


torch.library.custom_op('vtg::gru', _states, mutates_args=())
torch.library.register_fake(
    'vtg::gru', lambda rows, weights: rows.new_empty(*rows.shape[:2], weights[1].shape[1])
)
torch.library.custom_op('vtg::gru_backward', _gradients, mutates_args=())
torch.library.register_fake(
    'vtg::gru_backward',
    lambda grad, rows, weights: [torch.empty_like(value) for value in (rows, *weights)],
)
torch.library.register_autograd('vtg::gru', _backward, setup_context=_keep)
