# SPDX-License-Identifier: Apache-2.0
"""UVCOM on TACoS with SlowFast and CLIP features.

The authors released no settings for this data: those of line/lighthouse.
Its best epoch is chosen by mAP.
"""

_base_ = [
    '../_base_/models/uvcom.py',
    '../_base_/benchmarks/tacos_lighthouse.py',
    '../_base_/schedules/adamw_200e_drop40.py',
    '../_base_/default_runtime.py',
]

model = dict(
    loss_balancer=dict(type='FixedBalancer', weights=dict(saliency=4.0)),
)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[100], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
randomness = dict(seed=2023)
