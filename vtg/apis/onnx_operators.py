# SPDX-License-Identifier: Apache-2.0
"""Operators that PyTorch's exporter has no ONNX form for."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from vtg.utils.optional import require


def translations() -> dict[Callable, Callable]:
    """ONNX forms by operator of PyTorch, for ``torch.onnx.export``."""
    op = require('onnxscript', 'an ONNX file').opset18

    def sort(
        values: Any, stable: bool | None = None, dim: int = -1, descending: bool = False
    ) -> Any:
        # Of equal values TopK takes the first one first, as a stable sort does.
        axis = op.Constant(value_ints=[dim])
        count = op.Gather(op.Shape(values), axis, axis=0)
        return op.TopK(values, count, axis=dim, largest=int(descending), sorted=1)

    def gru(rows: Any, weights: Sequence[Any]) -> Any:
        into, back, bias_into, bias_back = (_gates(op, weight) for weight in weights)
        states, _ = op.GRU(
            op.Transpose(rows, perm=[1, 0, 2]),
            op.Unsqueeze(into, op.Constant(value_ints=[0])),
            op.Unsqueeze(back, op.Constant(value_ints=[0])),
            op.Unsqueeze(op.Concat(bias_into, bias_back, axis=0), op.Constant(value_ints=[0])),
            hidden_size=int(weights[1].shape[1]),
            linear_before_reset=1,
        )  # (L, 1, B, D)
        return op.Transpose(op.Squeeze(states, op.Constant(value_ints=[1])), perm=[1, 0, 2])

    return {torch.ops.aten.sort.stable: sort, torch.ops.vtg.gru.default: gru}


def _gates(op: Any, weight: Any) -> Any:
    """PyTorch's order of the gates (reset, update, new) as that of ONNX (update, reset, new)."""
    reset, update, new = op.Split(weight, axis=0, num_outputs=3)
    return op.Concat(update, reset, new, axis=0)
