# SPDX-License-Identifier: Apache-2.0
"""BAM-DETR with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    # Clips lose the words that are padding in another sample of the batch.
    fusion=dict(mask_layout='tiled'),
    # Convolutions see padded clips, and moments are measured in the longest video of the batch.
    neck=dict(mask_padding=False, length='padded'),
    moment_head=dict(
        # Places are measured in the longest video; the width modulation divides by any width.
        decoder=dict(sampling=dict(length='padded'), min_width=0.0),
        # The overlap of two moments without length is not a number.
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
    ),
)
