# SPDX-License-Identifier: Apache-2.0
"""UVCOM on Charades-STA with SlowFast and CLIP features, in the settings of the authors."""

_base_ = [
    '../_base_/models/uvcom.py',
    '../_base_/benchmarks/charades_lighthouse.py',
    '../_base_/schedules/adamw_200e_drop100.py',
    '../_base_/runtime_moments.py',
]

model = dict(auxiliary=dict(contrast=dict(choose_from=70)))
train_dataloader = dict(batch_size=8)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[80], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
randomness = dict(seed=2018)
