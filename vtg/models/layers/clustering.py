# SPDX-License-Identifier: Apache-2.0
"""Soft clusters of a sequence, and how they spread over it again."""

import torch
from torch import Tensor, nn

from vtg.structures import in_float32

from .functional import unit


class SoftClustering(nn.Module):
    """Expectation maximisation with learned first centres, a few steps of it.

    Every token belongs to all clusters, by a softmax over the centres of ``cos / bandwidth^2``
    (Gaussians around unit vectors); a centre is the mean of its tokens (UVCOM, Xiao et al., CVPR
    2024, section 3.2). Gradient flows through all steps.

    Args:
        dim: Token width D.
        num_centres: Number of clusters K.
        num_iterations: Steps.
        bandwidth: Standard deviation of the Gaussians. 1.2, as in the released code, is so wide for
            unit vectors that all centres become one after few steps.
        mask_padding: False lets padding belong to clusters too, as the released code does.
    """

    def __init__(
        self,
        dim: int,
        num_centres: int,
        num_iterations: int = 5,
        bandwidth: float = 0.3,
        mask_padding: bool = True,
    ) -> None:
        super().__init__()
        self.num_iterations = num_iterations
        self.bandwidth = bandwidth
        self.mask_padding = mask_padding
        self.centres = nn.Parameter(nn.init.xavier_uniform_(torch.empty(num_centres, dim)))

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Cluster ``tokens (B, L, D)``; ``mask (B, L)`` True = real.

        Returns:
            Centres ``(B, K, D)``.
        """
        tokens = in_float32(tokens)
        directions = unit(tokens, eps=1e-9)
        centres = self.centres.to(tokens.dtype).expand(tokens.shape[0], -1, -1)
        for _ in range(self.num_iterations):
            cosine = in_float32(unit(centres, eps=1e-9) @ directions.mT)  # (B, K, L)
            share = (cosine / self.bandwidth**2).softmax(dim=1)
            if self.mask_padding:
                share = share * mask.unsqueeze(1)
            # Divided first, because a long sum leaves the range of half precision.
            share = share / (share.sum(dim=-1, keepdim=True) + 1e-9)
            centres = in_float32(share @ tokens)
        return centres


def random_walk(
    tokens: Tensor,
    centres: Tensor,
    mask: Tensor | None,
    restart: float = 0.5,
    sharpness: float = 5.0,
) -> Tensor:
    """Let centres of another sequence and the tokens reach each other by walks of any length.

    ``(1 - w) (I - w^2 A)^-1 (w Z^T C + W)`` with tokens W, centres C, a softmax over the centres
    ``Z = softmax_k(s cos(C, W))`` and ``A = Z^T Z'``, where Z' sums to 1 over the tokens (UVCOM,
    Xiao et al., CVPR 2024, section 3.2). A has rank K, so that K by K numbers are inverted.

    Args:
        tokens: ``(B, L, D)``.
        centres: ``(B, K, D)``.
        mask: ``(B, L)`` True = real; None lets padding take part.
        restart: w.
        sharpness: s.

    Returns:
        ``(B, L, D)``, in at least float32.
    """
    tokens, centres = in_float32((tokens, centres))
    # A step from token to token passes two of a centre's shares.
    cosine = in_float32(unit(centres, eps=1e-9) @ unit(tokens, eps=1e-9).mT)
    share = (sharpness * cosine).softmax(dim=1)
    if mask is not None:
        share = share * mask.unsqueeze(1)
    spread = share / (share.sum(dim=-1, keepdim=True) + 1e-9)  # (B, K, L)
    start = restart * in_float32(share.mT @ centres) + tokens
    # Woodbury: (I - w^2 Z^T Z')^-1 = I + w^2 Z^T (I - w^2 Z' Z^T)^-1 Z'.
    within = torch.eye(share.shape[1], dtype=share.dtype, device=share.device)
    within = within - restart**2 * in_float32(spread @ share.mT)
    # Rows sum to at least 1 - w^2, so there is nothing to check, which would wait for the device.
    reached, _ = torch.linalg.solve_ex(within, in_float32(spread @ start))
    return (1 - restart) * (start + restart**2 * in_float32(share.mT @ reached))
