# SPDX-License-Identifier: Apache-2.0
"""Losses on sets of learned tokens."""

import torch
from torch import Tensor

from vtg.models.layers import unit


def token_orthogonality(tokens: Tensor) -> Tensor:
    """Mean absolute cosine between different tokens of a set.

    CG-DETR (Moon et al., 2023), section 3.2, as in its released code: the mean is over all ``M^2``
    pairs, those of a token with itself counting 0, and the gradient moves the first token of a pair
    only. A single token costs nothing.

    Args:
        tokens: ``(..., M, D)``.

    Returns:
        Scalar in [0, 1].
    """
    directions = unit(tokens)
    cosine = directions @ directions.detach().transpose(-1, -2)
    itself = torch.eye(tokens.shape[-2], dtype=torch.bool, device=tokens.device)
    return cosine.masked_fill(itself, 0).abs().mean()
