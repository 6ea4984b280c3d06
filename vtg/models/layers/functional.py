# SPDX-License-Identifier: Apache-2.0
"""Element-wise functions that several layers and heads share."""

import torch
from torch import Tensor


def inverse_sigmoid(x: Tensor, eps: float = 1e-3) -> Tensor:
    """Return the logit of ``x``, finite everywhere.

    ``x`` is clamped to [0, 1], then both ``x`` and ``1 - x`` are kept at least ``eps`` (Deformable
    DETR), so the result lies within ``±log(1 / eps)``. Any shape.
    """
    x = x.clamp(min=0, max=1)
    return torch.log(x.clamp(min=eps) / (1 - x).clamp(min=eps))
