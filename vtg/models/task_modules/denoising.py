# SPDX-License-Identifier: Apache-2.0
"""Queries made from noisy ground truth."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from vtg.models.layers.functional import inverse_sigmoid
from vtg.registry import TASK_UTILS
from vtg.structures import cxw_to_xx, xx_to_cxw


@dataclass(frozen=True)
class DenoisingQueries:
    """The denoising queries of a batch: T slots per sample, group after group.

    Attributes:
        references: ``(B, T, 2)`` logits of centre and width, 0 in unused slots.
        valid: ``(B, T)`` True where a slot is in use.
        is_positive: ``(B, T)`` True where the slot's moment has to be recovered; the other valid
            slots have to be rejected.
        gt_index: ``(B, T)`` int64 moment of the slot, 0 where unused.
        group: ``(T,)`` int64 group of the slot. Groups must not see each other.
    """

    references: Tensor
    valid: Tensor
    is_positive: Tensor
    gt_index: Tensor
    group: Tensor


@TASK_UTILS.register_module()
class DenoisingGenerator:
    """Contrastive denoising queries along time.

    Zhang et al., "DINO: DETR with Improved DeNoising Anchor Boxes for End-to-End Object Detection",
    2023, section 3.3. A group holds every moment twice: as a positive with little noise and as a
    negative with more. Start and end move independently by ``± noise_scale * u * width / 2`` with
    ``u`` uniform in [0, 1), for negatives in ``negative_offset + [0, 1)``, and stay in [0, 1]. The
    ends may cross; such a query gets the smallest width.

    Args:
        num_queries: Budget of queries per sample; there are as many groups as fit, at least one.
        noise_scale: Scale of the noise.
        negative_offset: Added to ``u`` for negatives.
    """

    def __init__(
        self, num_queries: int = 300, noise_scale: float = 0.5, negative_offset: float = 1.25
    ) -> None:
        self.num_queries = num_queries
        self.noise_scale = noise_scale
        self.negative_offset = negative_offset

    def num_groups(self, max_gts: int) -> int:
        """Return the number of groups for at most ``max_gts`` moments per sample."""
        return max(1, self.num_queries // (2 * max_gts)) if max_gts else 0

    @torch.no_grad()
    def __call__(
        self,
        gts: Tensor,
        gt_mask: Tensor,
        noise: tuple[Tensor, Tensor] | None = None,
        generator: torch.Generator | None = None,
    ) -> DenoisingQueries:
        """Make the queries of a batch.

        Args:
            gts: ``(B, M, 2)`` centre, width normalised.
            gt_mask: ``(B, M)`` True where a moment is real.
            noise: Signs (±1) and uniform numbers in [0, 1), each ``(B, groups, 2, M, 2)`` ordered
                group, positive or negative, moment, start or end; drawn if None.
            generator: Random state to draw from, on the device of ``gts``.

        Returns:
            ``T = groups * 2 * M`` slots, per group the M positives and then the M negatives. No
            slot if M is 0.
        """
        batch, size = gt_mask.shape
        groups = self.num_groups(size)
        shape = (batch, groups, 2, size)
        sign, part = self._draw((*shape, 2), gts, generator) if noise is None else noise
        offset = self.negative_offset * torch.arange(2, dtype=gts.dtype, device=gts.device)
        half_width = 0.5 * gts[:, None, None, :, 1:]  # (B, 1, 1, M, 1)
        shift = sign * (part + offset[:, None, None]) * half_width * self.noise_scale
        ends = (cxw_to_xx(gts)[:, None, None] + shift).clamp(0, 1)  # (B, groups, 2, M, 2)

        valid = gt_mask[:, None, None].expand(shape)
        references = inverse_sigmoid(xx_to_cxw(ends)) * valid[..., None]
        index = torch.arange(size, device=gts.device).expand(shape) * valid
        is_positive = valid & (torch.arange(2, device=gts.device) == 0)[:, None]
        group = torch.arange(groups, device=gts.device).repeat_interleave(2 * size)
        return DenoisingQueries(
            references.flatten(1, 3),
            valid.flatten(1),
            is_positive.flatten(1),
            index.flatten(1),
            group,
        )

    @staticmethod
    def _draw(
        shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        draw = partial(torch.rand, shape, dtype=like.dtype, device=like.device, generator=generator)
        return (draw() < 0.5).to(like.dtype) * 2 - 1, draw()
