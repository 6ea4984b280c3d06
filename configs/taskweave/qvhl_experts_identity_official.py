# SPDX-License-Identifier: Apache-2.0
"""Experts as in Table 5 a, with the quirks of the released code."""

_base_ = './qvhl_no_feedback_official.py'

model = dict(
    neck=dict(
        moment_expert=dict(_delete_=True, type='IdentityExpert'),
        saliency_expert=dict(_delete_=True, type='IdentityExpert'),
    ),
)
