# SPDX-License-Identifier: Apache-2.0
"""Ablation of SG-DETR: the dense (ATSS) head alone, without the query decoder."""

_base_ = './qvhl.py'

model = dict(
    moment_head=dict(_delete_=True, **_base_.model.moment_head.dense_head),
)
