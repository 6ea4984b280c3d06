# SPDX-License-Identifier: Apache-2.0
"""Ablation of SG-DETR: no IoU score, the decoder's predictions are ranked by class alone."""

_base_ = './qvhl.py'

model = dict(
    moment_head=dict(
        query_head=dict(
            quality=False,
            losses=dict(quality=None),
            queries=dict(quality=False),
            matcher=dict(costs=dict(quality=None)),
        ),
    ),
)
