# SPDX-License-Identifier: Apache-2.0
"""R2-Tuning with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant. The released
code only predicts one video at a time, where the three `mask_padding` have no effect.
"""

_base_ = './qvhl.py'

model = dict(
    # Positions are relative to the length of the padded batch.
    embedding=dict(mask_padding=False),
    # Words that are padding may win the maximum over words.
    fusion=dict(mask_padding=False),
    # Cells that reach beyond the end of a video mix clips with padding and count as real.
    neck=dict(mask_padding=False),
    # Convolutions read padded cells, and a point at the end of a video may lie in the padding;
    # clips last 2 s whatever the features.
    moment_head=dict(mask_padding=False, unit_seconds=2.0),
    # Scores of coarse levels drift away from their clips in short videos.
    saliency_head=dict(cell='share'),
    # Moments that reach the end of the video are not rounded.
    test_cfg=dict(post_processor=dict(steps=dict(round=dict(keep_last=True)))),
)
