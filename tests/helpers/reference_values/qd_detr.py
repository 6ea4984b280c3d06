# SPDX-License-Identifier: Apache-2.0
"""QD-DETR against values of its released code, without and with audio."""

from typing import Any

from vtg.structures import GroundingState

from .case import Outputs, Run
from .common import Step
from .detr import DETECTION, DetrCase

SALIENCY = {'margin': 'margin', 'rank': 'rank', 'negpair': 'negative'}
STRAIGHT = {'fusion.mask_layout': 'correct'}


class QdDetrCase(DetrCase):
    """Without padding, with it as released, and with it as meant.

    The copies with the corrected mask that lie beside the released outputs, ``out/fixmask_*``, are
    compared with the last.
    """

    system, config = 'qd_detr', 'qd_detr/qvhl_official.py'
    runs = (Run('nopad/'), Run(''), Run('cleanmask/', '', STRAIGHT))
    clean = STRAIGHT
    losses = {
        **DETECTION,
        **{f'part.saliency_{theirs}': f'loss_saliency_{o}' for theirs, o in SALIENCY.items()},
        'loss_saliency': tuple(f'loss_saliency_{ours}' for ours in SALIENCY.values()),
    }

    def copies(self, found: Outputs) -> Outputs:
        """The outputs together with those that are stored a second time."""
        if self.prefix == 'cleanmask/':
            found |= {key.replace('out/', '/out/fixmask_'): value for key, value in found.items()}
        return found

    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Also the copies."""
        return self.copies(super().predicted(state, records))

    def trained(self, step: Step) -> Outputs:
        """Also the copies."""
        return self.copies(super().trained(step))
