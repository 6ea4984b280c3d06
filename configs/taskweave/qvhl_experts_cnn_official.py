# SPDX-License-Identifier: Apache-2.0
"""Convolutions as experts (Table 5 c), kept on padded clips only, as in the released code."""

_base_ = './qvhl_no_feedback_official.py'

model = dict(
    neck=dict(saliency_expert=dict(_delete_=True, **_base_.model.neck.moment_expert)),
)
