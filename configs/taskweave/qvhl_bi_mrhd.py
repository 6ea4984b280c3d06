# SPDX-License-Identifier: Apache-2.0
"""Both feedbacks from half of training (Table 7, Bi-MRHD).

The released code has no such variant. Here the first saliency selects the clips that the moments
come from, and these moments raise the clips of the final saliency.
"""

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
        'feedback.moment_guided',
        'saliency_head',
    ),
    feedback=dict(
        highlight_guided=dict(type='HighlightGuidedFeedback', start=0.5, stop=1.0),
    ),
)
