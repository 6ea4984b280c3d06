# SPDX-License-Identifier: Apache-2.0
"""CG-DETR with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    fusion=dict(
        # Clips lose words that are padding in other samples of the batch.
        mask_layout='tiled',
        losses=dict(
            # Padded clips count as clips without a moment.
            bce=dict(average_over='padded'),
            # Samples whose partner shows the same video are computed, then forgotten.
            rank=dict(min_alone=float('inf')),
        ),
    ),
    # A single sample of that kind is lost here too.
    saliency_head=dict(losses=dict(rank=dict(min_alone=2))),
    # Divisors and the target of the distillation count padded clips and words.
    auxiliary=dict(correlation=dict(average_over='padded')),
    moment_head=dict(
        # The width modulation divides by widths of any size.
        decoder=dict(positions=dict(min_width=0.0)),
        # The overlap of two moments without length is not a number.
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
    ),
)
