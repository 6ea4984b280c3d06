# SPDX-License-Identifier: Apache-2.0
"""QD-DETR with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    # Clips lose words that are padding in another sample of the batch.
    fusion=dict(mask_layout='tiled'),
    moment_head=dict(
        # The width modulation divides by widths of any size.
        decoder=dict(positions=dict(min_width=0.0)),
        # The overlap of two moments without length is not a number.
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
        # Moments may end after the video; only the 150 s of the post-processing limit them.
        ranking=dict(clamp=False),
    ),
    # Two queries of one video, or one query twice, still count as a negative pair.
    negatives=dict(same_source=True),
)
