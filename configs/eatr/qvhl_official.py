# SPDX-License-Identifier: Apache-2.0
"""EaTR with every documented quirk of the released code, for loading its weights.

Each value below restores one behaviour; the defaults of qvhl.py are what was meant.
"""

_base_ = './qvhl.py'

model = dict(
    moment_head=dict(
        queries=dict(
            # Padded clips count as clips that no slot wants more than another.
            mask_padding=False,
            # Padding moves the threshold of boundaries; a batch of odd size has one event more.
            events=dict(mask_padding=False, spurious=True),
            # The overlap of two moments without length is not a number.
            matcher=dict(costs=dict(giou=dict(eps=0.0))),
            losses=dict(giou=dict(eps=0.0)),
        ),
        # The text of the gate is the maximum over padded words too; the width modulation divides
        # by widths of any size.
        decoder=dict(mask_padding=False, positions=dict(min_width=0.0)),
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
        # Moments may end after the video; only the 150 s of the post-processing limit them.
        ranking=dict(clamp=False),
    ),
)
