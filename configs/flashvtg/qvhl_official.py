# SPDX-License-Identifier: Apache-2.0
"""FlashVTG with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant. The released
code only predicts one video at a time, where none of them but the clip length has an effect.
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
    saliency_head=dict(
        # The mean that clips are compared with counts padding.
        context='padded_mean',
        # A single sample whose partner shows the same video is lost here too.
        losses=dict(rank=dict(min_alone=2)),
    ),
    # Cells that reach beyond the end of a video mix clips with padding and count as real.
    neck=dict(mask_padding=False),
    moment_head=dict(
        # Convolutions read padded cells, and a point at the end of a video may lie in the padding.
        mask_padding=False,
        # Scores and labels are scaled over the whole batch with its padding.
        losses=dict(clip_score=dict(over='batch')),
        # Clips last 2 s whatever the features.
        unit_seconds=2.0,
    ),
)
