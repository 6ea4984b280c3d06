# SPDX-License-Identifier: Apache-2.0
"""HD2MR with every documented quirk of the released code, for loading its weights."""

_base_ = './qvhl_official.py'

model = dict(
    saliency_head=dict(after='neck'),
    feedback=dict(
        moment_guided=None,
        # The threshold is the mean over padded clips too.
        highlight_guided=dict(
            type='HighlightGuidedFeedback',
            before='moment_head',
            start=0.5,
            stop=1.0,
            mean_over='padded',
        ),
    ),
)
