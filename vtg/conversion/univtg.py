# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of UniVTG's released code."""

from .detr import PROJECTORS, UNUSED, layer_rules
from .rules import Conversion

UNIVTG = Conversion(
    renames=(
        *PROJECTORS,
        (r'token_type_embeddings\.weight', 'embedding.modality.weight'),
        *layer_rules(r'transformer\.encoder', 'encoder.layers'),
        (r'class_embed\.layers\.(\d+)\.(\w+)', r'moment_head.class_convs.\1.conv.\2'),
        (r'span_embed\.layers\.(\d+)\.(\w+)', r'moment_head.span_convs.\1.conv.\2'),
        (r'weightedpool\.weight', 'saliency_head.pooling.weight'),
    ),
    dropped=UNUSED,
)
