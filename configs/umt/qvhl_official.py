# SPDX-License-Identifier: Apache-2.0
"""UMT with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant. The released
code evaluates one video at a time, where none of them but the clip length has an effect.
"""

_base_ = './qvhl.py'

model = dict(
    # Queries look at padded clips.
    encoder=dict(mask_padding=False),
    # Padded clips cost nothing but count in the mean.
    saliency_head=dict(losses=dict(bce=dict(average_over='padded_count'))),
    # Moments are cut to the padded length, and clips last 2 s whatever the features.
    moment_head=dict(mask_padding=False, unit_seconds=2.0),
)
