# SPDX-License-Identifier: Apache-2.0
"""A transformer layer as expert of each task, without feedback (Table 5 d)."""

_base_ = './qvhl_no_feedback.py'

model = dict(
    neck=dict(
        moment_expert=dict(_delete_=True, type='TransformerExpert'),
        saliency_expert=dict(_delete_=True, type='TransformerExpert'),
    ),
)
