# SPDX-License-Identifier: Apache-2.0
"""Features of the clips in which moments start and end."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.base import Neck
from vtg.models.extras import BoundaryFeatures
from vtg.models.layers import MaskedConv1d, masked_fill_zero
from vtg.registry import MODELS
from vtg.structures import GroundingState, cxw_to_xx
from vtg.utils import check_choice

# Clips that count as a boundary, as shares of the moment outside and inside of it.
OUTSIDE, INSIDE = 0.25, 0.1


@MODELS.register_module()
class BoundaryConvs(Neck):
    """Two stacks of convolutions over the fused clips, one that has to answer at the starts of
    moments and one at their ends (BAM-DETR, Lee and Byun, 2024, section 3.3).

    Args:
        dim: Token width.
        weight: Factor of the loss.
        length: ``'own'``: moments are measured in the clips of their own video and padding counts
            nowhere in the loss; ``'padded'``: in those of the longest video of the batch, as in the
            released code, which also counts padding in its weights.
        mask_padding: False lets the convolutions see whatever the padded positions hold.
    """

    requires = ('fused',)
    reads = ()
    provides = ('boundary_features',)

    def __init__(
        self,
        dim: int,
        weight: float = 1.0,
        length: Literal['own', 'padded'] = 'own',
        mask_padding: bool = True,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.weight = weight
        self.length = check_choice(length, ('own', 'padded'), 'BoundaryConvs: length')
        self.mask_padding = mask_padding
        self.left, self.right = (
            nn.ModuleList(
                MaskedConv1d(dim, dim, size, mask_padding=mask_padding) for size in (3, 3, 1)
            )
            for _ in range(2)
        )
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``boundary_features``."""
        sides = (self._features(stack, state) for stack in (self.left, self.right))
        return {'boundary_features': BoundaryFeatures(*sides)}

    def _features(self, stack: nn.ModuleList, state: GroundingState) -> Tensor:
        x = state.fused
        for conv in stack:
            x = F.relu(conv(x, state.video_mask))
        return masked_fill_zero(x, state.video_mask) if self.mask_padding else x

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_boundary``: cross-entropy of the mean activity ``tanh`` of a clip with "a moment
        starts (ends) here"; clips with and without weigh the same, mean over samples and sides."""
        features = state.extras[BoundaryFeatures]
        wanted = self.targets(state)
        total = state.video_mask.new_zeros((), dtype=features.left.dtype)
        for side, target in zip((features.left, features.right), wanted, strict=True):
            total = total + self._distance(self.activity(side), target, state.video_mask)
        return {'loss_boundary': self.weight * total / 2}

    @staticmethod
    def activity(features: Tensor) -> Tensor:
        """``(B, L)`` in [0, 1) of features ``(B, L, D)``."""
        return features.tanh().mean(dim=-1)

    def targets(self, state: GroundingState) -> tuple[Tensor, Tensor]:
        """``(B, L)`` True where a moment starts, and where one ends."""
        mask, targets = state.video_mask, state.targets
        count = mask.sum(dim=1) if self.length == 'own' else mask.new_full(mask.shape[:1], 1)
        if self.length == 'padded':
            count = count * mask.shape[1]
        ends = cxw_to_xx(targets.spans) * count[:, None, None]
        start, end = ends.unbind(-1)  # (B, G)
        width = end - start
        clip = torch.arange(mask.shape[1], device=mask.device) + 0.5
        found = []
        for low, high in (
            (start - OUTSIDE * width, start + INSIDE * width),
            (end - INSIDE * width, end + OUTSIDE * width),
        ):
            near = (clip >= low.unsqueeze(-1)) & (clip <= high.unsqueeze(-1))  # (B, G, L)
            near = (near & targets.span_mask.unsqueeze(-1)).any(dim=1)
            found.append(near & mask if self.length == 'own' else near)
        return found[0], found[1]

    def _distance(self, activity: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Mean over samples; half for the clips with a boundary, half for those without."""
        loss = F.binary_cross_entropy(activity, target.to(activity.dtype), reduction='none')
        counted = mask if self.length == 'own' else torch.ones_like(mask)
        with_one = (target & counted).sum(dim=1, keepdim=True)
        without = (~target & counted).sum(dim=1, keepdim=True)
        if self.length == 'padded':
            without = without + (~mask).sum(dim=1, keepdim=True)
        weight = 1 / (torch.where(target, with_one, without) + 1e-9)
        return torch.where(mask, weight * loss, loss.new_zeros(())).sum(dim=1).mean() / 2
