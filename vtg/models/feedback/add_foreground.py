# SPDX-License-Identifier: Apache-2.0
"""Moments that help to report highlights."""

from typing import Any, Literal

import torch

from vtg.models.base import Feedback
from vtg.models.extras import Foreground
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class AddForeground(Feedback):
    """Reports saliency plus the probability that a clip lies in a moment, at inference only.

    UniVTG's evaluation on QVHighlights (Lin et al., ICCV 2023, released code, ``eval_mode=add``).
    It runs after both heads.

    Args:
        saliency_dtype: Precision of the saliency before the sum, e.g. ``'float16'`` as in the
            released code; None keeps it.
    """

    requires = ('saliency', 'foreground')
    provides = ('saliency',)

    def __init__(
        self, saliency_dtype: Literal['float16', 'bfloat16', 'float32', 'float64'] | None = None
    ) -> None:
        super().__init__()
        self.saliency_dtype = saliency_dtype

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``saliency (B, L)``; nothing in training, where the losses want the plain scores."""
        if self.training:
            return {}
        saliency = state.saliency
        if self.saliency_dtype is not None:
            saliency = saliency.to(getattr(torch, self.saliency_dtype)).to(saliency.dtype)
        return {'saliency': saliency + state.extras[Foreground].probability}
