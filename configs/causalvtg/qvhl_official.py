# SPDX-License-Identifier: Apache-2.0
"""CausalVTG with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    # Positions are relative to the padded length.
    embedding=dict(mask_padding=False),
    # Padding counts in mean features, and padded tokens take in the mean row of a dictionary.
    refiner=dict(
        video=dict(average_over='padded', mask_padding=False),
        text=dict(average_over='padded', mask_padding=False),
    ),
    # Cells that reach beyond the end of a video mix clips with padding and count as real.
    neck=dict(mask_padding=False),
    # Convolutions read padded cells, and a point at the end may lie in the padding.
    moment_head=dict(mask_padding=False, unit_seconds=2.0),
    # Cells and clips drift apart in short videos.
    saliency_head=dict(cell='share'),
    auxiliary=dict(
        answerability=dict(
            # Metrics are those of the moments alone.
            scale_scores=False,
            average_over='padded',
            # Two queries of one video answer each other, and one mask overwrites the other.
            same_source='answerable',
            shared_mask=True,
        ),
    ),
    # Moments that reach the end of the video are not rounded.
    test_cfg=dict(post_processor=dict(steps=dict(round=dict(keep_last=True)))),
)
