# SPDX-License-Identifier: Apache-2.0
"""LD-DETR with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    # Clips lose the words that are padding in another sample of the batch.
    fusion=dict(mask_layout='tiled'),
    # Convolutions and batch statistics see padded clips.
    encoder=dict(blocks=dict(mask_padding=False)),
    # The best moment is measured in clips of the longest video of the batch.
    feedback=dict(moments=dict(length='padded')),
    # Means of clips and words run over padding.
    auxiliary=dict(
        distillation=dict(average_over='padded'),
        prediction=dict(average_over='padded'),
    ),
    moment_head=dict(
        # The loop over the decoder returns in its first pass.
        decoder=dict(
            loops=1,
            # The width modulation divides by widths of any size.
            decoder=dict(positions=dict(min_width=0.0)),
        ),
        # The overlap of two moments without length is not a number.
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
    ),
)
