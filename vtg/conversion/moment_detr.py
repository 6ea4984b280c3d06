# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of Moment-DETR's released code, and of that with an existence head (GMR)."""

from .detr import (
    PREDICTION_HEADS,
    PROJECTORS,
    SLOT_DECODER,
    UNUSED,
    UNUSED_ALIGNMENT,
    layer_rules,
)
from .rules import Conversion

MOMENT_DETR = Conversion(
    renames=(
        *PROJECTORS,
        *layer_rules(r'transformer\.encoder', 'encoder.layers'),
        *SLOT_DECODER,
        *PREDICTION_HEADS,
        (r'saliency_proj\.(\w+)', r'saliency_head.score.\1'),
        (
            r'exist_head\.layers\.(\d+)\.(\w+)',
            lambda m: f'auxiliary.existence.score.{2 * int(m[1])}.{m[2]}',
        ),
    ),
    dropped=(*UNUSED, *UNUSED_ALIGNMENT),
)
