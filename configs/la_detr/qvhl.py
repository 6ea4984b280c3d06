# SPDX-License-Identifier: Apache-2.0
"""LA-DETR on QD-DETR, QVHighlights with SlowFast and CLIP features and MomentMix."""

_base_ = [
    '../_base_/models/la_detr.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

randomness = dict(seed=2023)
train_dataloader = dict(dataset=dict(augment=dict(type='MomentMix', part_length=5.0)))
