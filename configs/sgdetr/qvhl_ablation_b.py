# SPDX-License-Identifier: Apache-2.0
"""SG-DETR, second row of its ablation: (a) with the saliency-guided cross-attention."""

_base_ = './qvhl_ablation_c.py'

model = dict(
    moment_head=dict(
        quality=False,
        losses=dict(quality=None),
        queries=dict(quality=False),
        matcher=dict(costs=dict(quality=None)),
    ),
)
