# SPDX-License-Identifier: Apache-2.0
"""No experts beside the shared one, without feedback (Table 5 a)."""

_base_ = './qvhl_no_feedback.py'

model = dict(
    neck=dict(
        moment_expert=dict(_delete_=True, type='IdentityExpert'),
        saliency_expert=dict(_delete_=True, type='IdentityExpert'),
    ),
)
