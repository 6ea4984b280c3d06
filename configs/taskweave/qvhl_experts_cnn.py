# SPDX-License-Identifier: Apache-2.0
"""Convolutions as expert of each task, without feedback (Table 5 c)."""

_base_ = './qvhl_no_feedback.py'

model = dict(
    neck=dict(
        moment_expert=dict(_delete_=True, type='ConvExpert'),
        saliency_expert=dict(_delete_=True, type='ConvExpert'),
    ),
)
