# SPDX-License-Identifier: Apache-2.0
"""Feedback from highlights to moments from half of training (Table 7, HD2MR)."""

_base_ = './qvhl.py'

model = dict(
    stages=(
        'video_projector',
        'text_projector',
        'embedding',
        'fusion',
        'encoder',
        'neck',
        'saliency_head',
        'feedback.highlight_guided',
        'moment_head',
    ),
    feedback=dict(
        moment_guided=None,
        highlight_guided=dict(type='HighlightGuidedFeedback', start=0.5, stop=1.0),
    ),
)
