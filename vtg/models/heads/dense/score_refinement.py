# SPDX-License-Identifier: Apache-2.0
"""Scores of pyramid cells within and across levels."""

from typing import Literal, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.layers import MLP, MaskedConv1d, masked_fill_zero
from vtg.structures import FeaturePyramid
from vtg.utils import ConfigError


class ConvScore(nn.Module):
    """Convolutions with ReLU and a perceptron, or a last convolution: one logit per cell.

    Args:
        dim: Channels; the perceptron works on half of them.
        kernel_size: Of the convolutions.
        num_convs: Number of convolutions.
        num_linear: Linear layers of the perceptron; None: the last convolution gives the logit.
        mask_padding: Convolutions read zeros where a cell is not real.
    """

    def __init__(
        self, dim: int, kernel_size: int, num_convs: int, num_linear: int | None, mask_padding: bool
    ) -> None:
        super().__init__()
        hidden = num_convs if num_linear else num_convs - 1
        self.convs = nn.ModuleList(
            MaskedConv1d(dim, dim, kernel_size, mask_padding=mask_padding) for _ in range(hidden)
        )
        self.mlp = self.last_conv = None
        if num_linear:
            self.mlp = MLP(dim, *(dim // 2 for _ in range(num_linear - 1)), 1, xavier=False)
        else:
            self.last_conv = MaskedConv1d(dim, 1, kernel_size, mask_padding=mask_padding)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``(B, L, D)`` and ``(B, L)`` to ``(B, L)``."""
        for conv in self.convs:
            x = F.relu(conv(x, mask))
        if self.last_conv is not None:
            return self.last_conv(x, mask).squeeze(-1)
        assert self.mlp is not None
        return self.mlp(x).squeeze(-1)


def real_first(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the order ``(B, P)`` that brings real entries to the front, and its inverse."""
    order = (~mask).to(torch.uint8).argsort(dim=1, stable=True)
    return order, order.argsort(dim=1)


class ScoreOptions(TypedDict, total=False):
    """Arguments of :class:`ScoreRefinement` that a head lets a config set."""

    kernel_size: int
    num_convs: int
    num_linear: int | None
    refine: bool
    mix: Literal['logits', 'scores']


class ScoreRefinement(nn.Module):
    """Class logits of all cells, refined across the levels.

    FlashVTG's adaptive score refinement (Cao et al., 2025, section 3.5): one head looks at each
    level alone, another at all levels in a row, fine to coarse, and a learned scalar mixes the two.
    In that row the real cells of a sample are neighbours, whatever its batch is padded to.

    Args:
        dim: Channels.
        kernel_size, num_convs, num_linear: See :class:`ConvScore`.
        refine: Use the second head; without it the score is the plain one of the ablation.
        mix: ``'logits'``, as in the released code, or ``'scores'``: mix after the sigmoid, as in
            the paper.
        mask_padding: False reads the cells as they lie in the padded batch, as the released code.
    """

    def __init__(
        self,
        dim: int,
        kernel_size: int = 5,
        num_convs: int = 1,
        num_linear: int | None = 5,
        refine: bool = True,
        mix: Literal['logits', 'scores'] = 'logits',
        mask_padding: bool = True,
    ) -> None:
        super().__init__()
        if mix not in ('logits', 'scores'):
            raise ConfigError(f"score mixing is 'logits' or 'scores', got {mix!r}.")
        self.mix = mix
        self.mask_padding = mask_padding
        sizes = (kernel_size, num_convs, num_linear)
        self.within = ConvScore(dim, *sizes, mask_padding)
        self.across: ConvScore | None = None
        if refine:
            self.across = ConvScore(dim, *sizes, mask_padding)
            self.balance = nn.Parameter(torch.tensor(0.5))

    def forward(self, pyramid: FeaturePyramid) -> Tensor:
        """Return the logits ``(B, P)`` of all cells, level after level."""
        within = torch.cat(list(map(self.within, pyramid.features, pyramid.masks)), dim=1)
        if self.across is None:
            return within
        across = self.score_across(pyramid)
        if self.mix == 'logits':
            return self.balance * within + (1 - self.balance) * across
        score = self.balance * within.sigmoid() + (1 - self.balance) * across.sigmoid()
        return score.clamp(1e-6, 1 - 1e-6).logit()

    def score_across(self, pyramid: FeaturePyramid) -> Tensor:
        """Return the logits ``(B, P)`` of the head that sees all levels in a row."""
        assert self.across is not None
        cells = torch.cat(pyramid.features, dim=1)
        mask = torch.cat(pyramid.masks, dim=1)
        if not self.mask_padding:
            return self.across(cells, mask)
        order, inverse = real_first(mask)
        cells = masked_fill_zero(cells, mask)
        cells = cells.gather(1, order.unsqueeze(-1).expand_as(cells))
        return self.across(cells, mask.gather(1, order)).gather(1, inverse)
