# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR against values of its released code."""

from typing import Any

import torch

from vtg.structures import GroundingState

from .case import Outputs
from .core import ReferenceSet
from .detr import DETECTION, DetrCase


def _alignment(data: ReferenceSet) -> dict[str, Any] | None:
    if not data.fact('config.contrastive_align_loss'):
        return None
    return dict(type='QueryTextAlignment', mask_padding=False)


class MomentDetrCase(DetrCase):
    """The padded and the unpadded batch, with the alignment if it was on."""

    system, config = 'moment_detr', 'moment_detr/qvhl_official.py'
    sizes = {'moment_head.losses.align': _alignment, **DetrCase.sizes}
    clean = {'moment_head.losses.align?.mask_padding': True}
    losses = {
        **DETECTION,
        'loss_saliency': 'loss_saliency_margin',
        'part.saliency_margin': 'loss_saliency_margin',
        'loss_contrastive_align': 'loss_align',
    }
    left_out = {**DetrCase.left_out, 'out/proj_vid_mem': 'official-only: no loss reads it'}

    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Also the embeddings that are aligned."""
        found = super().predicted(state, records)
        if 'align' in self.head.losses:
            alignment = self.head.losses['align']
            with torch.no_grad():
                queries, words = alignment.embed(state.moment_outputs['queries'].normed, state)
            found |= self.layers('proj_queries', queries)
            found |= self.layers('proj_txt_mem', words.expand(len(queries), *words.shape))
        return found
