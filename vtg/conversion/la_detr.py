# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of LA-DETR's released code on QD-DETR."""

from dataclasses import replace

from .detr import HEAD, feed_forward_rules
from .qd_detr import QD_DETR

LA_DETR = replace(
    QD_DETR,
    renames=(
        (r'transformer\.patterns\.weight', f'{HEAD}.queries.content'),
        (r'query_embed\.weight', f'{HEAD}.queries.source.reference_logits'),
        *feed_forward_rules(
            r'transformer\.decoder\.layers\.(\d+)\.ffn\.', rf'{HEAD}.decoder.layers.\1.'
        ),
        *QD_DETR.renames,
    ),
)
