# SPDX-License-Identifier: Apache-2.0
"""UniVTG with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    moment_head=dict(
        # Timestamps add half a clip length in seconds to a position in clips: for clips of 2 s they
        # lie at the end of the clip, not at its centre.
        anchor_offset=1.0,
        # Convolutions of the head read whatever the padded clips hold.
        mask_padding=False,
    ),
)
