# SPDX-License-Identifier: Apache-2.0
"""A second encoding that starts from clips weighted by a first saliency."""

from typing import Any, Literal

import torch
from torch import Tensor

from vtg.models.base import Feedback
from vtg.models.layers import masked_softmax
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class SaliencyReencoding(Feedback):
    """Scores the memory, adds every fused clip in proportion to its score, and encodes again.

    ``memory = encode(memory + softmax(saliency) * fused)``, with the model's own saliency head and
    encoder (TR-DETR, Sun et al., 2024, section 3.3: highlights refine moments). It runs behind the
    encoder; the first saliency has no loss of its own.

    Args:
        softmax_over: ``'valid'`` clips, or ``'padded'`` ones too, as in the released code.
    """

    requires = ('fused', 'memory')
    provides = ('memory',)
    runs = ('saliency_head', 'encoder')
    changes = ('fused',)
    takes = ('saliency', 'memory')
    needs_slots = ('saliency_head',)

    def __init__(self, softmax_over: Literal['valid', 'padded'] = 'valid') -> None:
        super().__init__()
        self.softmax_over = softmax_over

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``memory (B, L, D)``."""
        saliency: Tensor = state.run(['saliency_head']).saliency
        mask = state.video_mask
        counted = mask if self.softmax_over == 'valid' else torch.ones_like(mask)
        weight = masked_softmax(saliency, counted, dim=1).unsqueeze(-1)
        again = state.update(fused=state.memory + weight * state.fused).run(['encoder'])
        return {'memory': again.memory}
