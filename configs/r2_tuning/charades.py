# SPDX-License-Identifier: Apache-2.0
"""R2-Tuning on Charades-STA with CLIP tokens of four layers."""

_base_ = [
    '../_base_/models/r2_tuning.py',
    '../_base_/benchmarks/charades_clip_layers.py',
    '../_base_/schedules/adamw_120e_drop80.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    video_projector=dict(dropout=0.35),
    text_projector=dict(dropout=0.35),
    auxiliary=dict(nce=dict(weight=0.01)),
    test_cfg=dict(post_processor=dict(steps=dict(nms=dict(decay='linear')))),
)
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4))
train_cfg = dict(max_epochs=50, val_interval=1)
param_scheduler = [
    dict(type='LinearLR', start_factor=1 / 1000, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', milestones=[30], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
