# SPDX-License-Identifier: Apache-2.0
"""A linear layer as expert of each task, without feedback (Table 5 b)."""

_base_ = './qvhl_no_feedback.py'

model = dict(
    neck=dict(
        moment_expert=dict(_delete_=True, type='LinearExpert'),
        saliency_expert=dict(_delete_=True, type='LinearExpert'),
    ),
)
