# SPDX-License-Identifier: Apache-2.0
"""Feedback from highlights to moments from half of training (Table 7, HD2MR)."""

_base_ = './qvhl.py'

model = dict(
    saliency_head=dict(after='neck'),
    feedback=dict(
        moment_guided=None,
        highlight_guided=dict(
            type='HighlightGuidedFeedback', before='moment_head', start=0.5, stop=1.0
        ),
    ),
)
