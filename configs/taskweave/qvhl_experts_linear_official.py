# SPDX-License-Identifier: Apache-2.0
"""Experts as in Table 5 b, with the quirks of the released code."""

_base_ = './qvhl_no_feedback_official.py'

model = dict(
    neck=dict(
        moment_expert=dict(_delete_=True, type='LinearExpert'),
        saliency_expert=dict(_delete_=True, type='LinearExpert'),
    ),
)
