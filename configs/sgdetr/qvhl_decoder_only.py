# SPDX-License-Identifier: Apache-2.0
"""Ablation of SG-DETR: the query decoder alone, without the dense head."""

_base_ = './qvhl.py'

model = dict(
    moment_head=dict(_delete_=True, **_base_.model.moment_head.query_head),
)
