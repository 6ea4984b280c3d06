# SPDX-License-Identifier: Apache-2.0
"""A transformer layer for the moments, nothing for the highlights, without feedback (Table 5 e)."""

_base_ = './qvhl_no_feedback.py'

model = dict(
    neck=dict(
        moment_expert=dict(_delete_=True, type='TransformerExpert'),
        saliency_expert=dict(_delete_=True, type='IdentityExpert'),
    ),
)
