# SPDX-License-Identifier: Apache-2.0
"""UVCOM with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    # Clips and words lose each other by the padding of other samples of the batch.
    refiner=dict(mask_layout='tiled'),
    fusion=dict(
        attention=dict(mask_layout='tiled'),
        # Gaussians so wide that all clusters become one; padding takes part in everything.
        integration=dict(bandwidth=1.2, mask_padding=False),
    ),
    moment_head=dict(
        # All slots are the same vector, whose clips are padded ones too.
        queries=dict(identical=True, mask_padding=False),
        # The width modulation divides by widths of any size.
        decoder=dict(positions=dict(min_width=0.0)),
        # The overlap of two moments without length is not a number.
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
        # Moments may end after the video; only the 150 s of the post-processing limit them.
        ranking=dict(clamp=False),
    ),
    auxiliary=dict(
        # The sentence must find the first moment only, and loses a clip at many an end; padding is
        # a candidate; a video may get its own sentence as the one it resembles least.
        contrast=dict(moment='truncated_first', average_over='padded', exclude_source=False),
    ),
    # Two queries of one video, or one query twice, still count as a negative pair.
    negatives=dict(same_source=True),
)
