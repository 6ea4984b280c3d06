# SPDX-License-Identifier: Apache-2.0
"""Both feedbacks (Table 7, Bi-MRHD), with the quirks of the released code."""

_base_ = './qvhl_official.py'

_trunk = ('video_projector', 'text_projector', 'embedding', 'fusion', 'encoder', 'neck')
_heads = ('saliency_head', 'feedback.highlight_guided', 'moment_head')
_guided = dict(type='HighlightGuidedFeedback', start=0.5, stop=1.0, mean_over='padded')
model = dict(
    stages=(*_trunk, *_heads, 'feedback.moment_guided', 'saliency_head'),
    feedback=dict(highlight_guided=_guided),
)
del _trunk, _heads, _guided
