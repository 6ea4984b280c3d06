# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    moment_head=dict(
        # The overlap of two moments without length is not a number.
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
        # Moments may end after the video; only the 150 s of the post-processing limit them.
        ranking=dict(clamp=False),
    ),
)
# The contrastive alignment, off here as in the published runs, sums over padded words too: with
# model.moment_head.alignment = dict(type='QueryTextAlignment', mask_padding=False).
