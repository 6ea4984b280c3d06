# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR with an existence head, every documented quirk of its released code, for its weights.

Each value below restores one behaviour; the defaults of soccer_gmr.py are what was meant.
"""

_base_ = './soccer_gmr.py'

model = dict(
    # It is built and never trained.
    saliency_head=dict(_delete_=True, type='LinearSaliencyHead', losses=dict()),
    moment_head=dict(
        # The overlap of two moments without length is not a number.
        matcher=dict(costs=dict(giou=dict(eps=0.0))),
        losses=dict(giou=dict(eps=0.0)),
        # Moments may end after the video; only the 150 s of the post-processing limit them.
        ranking=dict(clamp=False),
    ),
    # Scores are multiplied with a probability below 0.3. It is one number per query, so that no
    # metric changes as long as it is reported beside the moments.
    auxiliary=dict(existence=dict(gate='soft', threshold=0.3)),
    # Windows of Soccer-GMR do not lie on the grid; rounding costs accuracy.
    test_cfg=dict(post_processor=dict(steps=dict(round=dict(grid=2.0)))),
)
