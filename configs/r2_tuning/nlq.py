# SPDX-License-Identifier: Apache-2.0
"""R2-Tuning on Ego4D-NLQ with CLIP tokens of four layers."""

_base_ = [
    '../_base_/models/r2_tuning.py',
    '../_base_/benchmarks/nlq_clip_layers.py',
    '../_base_/schedules/adamw_50e_drop30.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    video_projector=dict(dropout=0.3),
    text_projector=dict(dropout=0.3),
    test_cfg=dict(post_processor=dict(steps=dict(nms=dict(decay='linear')))),
)
train_cfg = dict(max_epochs=30)
param_scheduler = [
    dict(type='LinearLR', start_factor=1 / 1000, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', milestones=[20], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
