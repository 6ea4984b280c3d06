# SPDX-License-Identifier: Apache-2.0
"""MR2HD with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    # Clips lose words that are padding in other samples of the batch.
    fusion=dict(mask_layout='tiled'),
    # The last clips of a shorter video take maxima over whatever the padded positions hold ...
    encoder=dict(mask_padding=False),
    neck=dict(
        # ... and so behind the shared expert.
        pool=dict(mask_padding=False),
        # The expert's convolution is kept on padded clips only and is 0 on every real one: the
        # released weights know the expert as one constant vector.
        # Its norm starts like a weight matrix, as everything with more than one dimension.
        moment_expert=dict(conv_mask='padding', norm_init='xavier', mask_padding=False),
    ),
    # Padded clips are scored from what they hold.
    saliency_head=dict(mask_padding=False),
    # Moments are measured on the padded length, the same for all videos of a batch.
    feedback=dict(moment_guided=dict(length='padded')),
    moment_head=dict(
        # The width modulation divides by widths of any size.
        decoder=dict(positions=dict(min_width=0.0)),
        # The overlap of two moments without length is not a number.
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
        # Moments are cut to 150 s, not to the video.
        ranking=dict(clamp=False),
    ),
    # Two queries of one video, or one query twice, still count as a negative pair.
    negatives=dict(same_source=True),
)
