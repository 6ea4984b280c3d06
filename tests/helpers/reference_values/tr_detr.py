# SPDX-License-Identifier: Apache-2.0
"""TR-DETR against values of its released code."""

from collections.abc import Callable
from typing import Any

import torch

from vtg.structures import GroundingState

from .case import Outputs, Run
from .core import ReferenceSet
from .detr import DETECTION, DetrCase
from .qd_detr import STRAIGHT, QdDetrCase


def _ratio(name: str) -> Callable[[ReferenceSet], float | None]:
    """The weight of an alignment, which the description holds in words only."""

    def weight(data: ReferenceSet) -> float | None:
        for prefix in ('', 'nopad/', 'cleanmask/'):
            plain = data.get(f'{prefix}loss/{name}')
            if plain is not None and float(plain):
                return round(float(data[f'{prefix}loss/weighted.{name}'] / plain), 4)
        return None

    return weight


ALIGNMENTS = {'loss_ctc': 'local_alignment', 'loss_vtc': 'global_alignment'}


class TrDetrCase(QdDetrCase):
    """As QD-DETR; the encoder runs twice and the saliency comes after the moments.

    Without padding the model as meant must agree as well.
    """

    system, config = 'tr_detr', 'tr_detr/qvhl_official.py'
    sizes = {
        **DetrCase.sizes,
        **{f'auxiliary.{ours}.weight': _ratio(name) for name, ours in ALIGNMENTS.items()},
    }
    clean = {
        **STRAIGHT,
        'feedback.highlights.softmax_over': 'valid',
        'feedback.moments.length': 'own',
        'auxiliary.*.average_over': 'valid',
    }
    runs = (*QdDetrCase.runs, Run('nopad/', options=clean))
    losses = {
        **DETECTION,
        'part.saliency_margin': 'loss_saliency_margin',
        'part.saliency_rank': 'loss_saliency_rank',
        'loss_saliency': ('loss_saliency_margin', 'loss_saliency_rank'),
        **{theirs: f'loss_{ours}' for theirs, ours in ALIGNMENTS.items()},
    }

    def weight(self, name: str) -> float:
        """The weight of a stored loss."""
        return _ratio(name)(self.data) or 0.0 if name in ALIGNMENTS else super().weight(name)

    @torch.no_grad()
    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Also the refined clips, the means and the summary of the best moment."""
        average = self.model.slots['auxiliary.global_alignment'].mean
        video = (state.projected_video, state.video_mask)
        summary = self.model.slots['feedback.moments'].summary
        return super().predicted(state, records) | {
            'out/mid.fuser': state.video,
            'out/src_vid_ed': state.projected_video,
            'out/src_txt_ed': state.projected_text,
            'out/src_vid_cls_ed': average(*video),
            'out/src_txt_cls_ed': average(state.projected_text, state.text_mask),
            'out/mid.gru': summary.summarize(*video, state.spans, state.span_scores),
        }

    @torch.no_grad()
    def sequences(self, state: GroundingState, suffix: str = '') -> Outputs:
        """Fused clips and both encodings."""
        first = self.model.run(state, ['encoder']).memory
        return {
            'out/mid.t2v_encoder': (state.fused, self.clips),
            'out/mid.encoder': (first, self.clips),
            'out/mid.encoder__call1': (state.memory, self.clips),
        }
