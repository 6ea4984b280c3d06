# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of QD-DETR's released code, without and with audio."""

from .detr import (
    CONTEXT_SALIENCY,
    CONTEXT_TOKEN,
    PREDICTION_HEADS,
    PROJECTORS,
    SPAN_DECODER,
    UNUSED,
    UNUSED_ALIGNMENT,
    layer_rules,
)
from .rules import Conversion

QD_DETR = Conversion(
    renames=(
        *PROJECTORS,
        *CONTEXT_TOKEN,
        *layer_rules(r'transformer\.t2v_encoder', 'fusion'),
        *layer_rules(r'transformer\.encoder', 'encoder.layers'),
        *SPAN_DECODER,
        *PREDICTION_HEADS,
        *CONTEXT_SALIENCY,
    ),
    dropped=(*UNUSED, *UNUSED_ALIGNMENT),
)
