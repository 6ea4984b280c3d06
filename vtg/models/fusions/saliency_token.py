# SPDX-License-Identifier: Apache-2.0
"""A context token made from the clips that attend to the words."""

import torch
from torch import Tensor, nn

from vtg.models.layers import unit
from vtg.models.losses import token_orthogonality
from vtg.registry import MODELS
from vtg.structures import in_float32


@MODELS.register_module()
class MomentAdaptiveToken(nn.Module):
    """Mixes learned prompts by how well they describe the clips that the query is about.

    Clips are compared with the prompts after their mean is taken off; the similarities, averaged
    over clips with the attention to words as weight, choose the prompts that are added to the mean
    (CG-DETR, Moon et al., 2023, section 3.3, the moment-adaptive saliency token).

    Args:
        dim: Token width.
        num_prompts: Size P of the pool.
        num_selected: Prompts that enter the token.
        orthogonal_weight: Weight of a loss that keeps the prompts apart.
    """

    slot = 'context'

    def __init__(
        self,
        dim: int,
        num_prompts: int = 10,
        num_selected: int = 1,
        orthogonal_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.num_selected = num_selected
        self.orthogonal_weight = orthogonal_weight
        self.prompts = nn.Parameter(torch.randn(num_prompts, dim))

    def forward(self, video: Tensor, mask: Tensor, importance: Tensor) -> Tensor:
        """Make the token; only prompts and clips receive gradient, not mean and importance.

        Args:
            video: ``(B, L, D)`` clips before fusion.
            mask: ``(B, L)`` True = real.
            importance: ``(B, L)`` how much a clip attends to words, 0 or more.

        Returns:
            ``(B, D)``.
        """
        video = in_float32(video)
        weight = mask.to(video.dtype)
        mean = (video * weight.unsqueeze(-1)).sum(dim=1) / weight.sum(dim=1, keepdim=True)
        mean = mean.detach()
        clips = unit(video - mean.unsqueeze(1))
        similarity = in_float32(clips @ unit(self.prompts).T).softmax(dim=-1)  # (B, L, P)
        weight = importance.detach() * weight
        weight = weight / weight.sum(dim=1, keepdim=True).clamp(min=1e-12)
        score = (similarity * weight.unsqueeze(-1)).sum(dim=1)
        best, index = score.topk(self.num_selected, dim=-1)
        return (best.unsqueeze(-1) * self.prompts[index]).sum(dim=1) + mean

    def loss(self) -> dict[str, Tensor]:
        """``loss_prompt_orthogonality``, see :func:`vtg.models.losses.token_orthogonality`."""
        if self.orthogonal_weight == 0:
            return {}
        spread = token_orthogonality(self.prompts)
        return {'loss_prompt_orthogonality': self.orthogonal_weight * spread}
