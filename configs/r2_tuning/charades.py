# SPDX-License-Identifier: Apache-2.0
"""R2-Tuning on Charades-STA with CLIP tokens of four layers."""

_base_ = [
    '../_base_/models/r2_tuning.py',
    '../_base_/benchmarks/charades_clip_layers.py',
    '../_base_/schedules/adamw_50e_drop30.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    video_projector=dict(dropout=0.35),
    text_projector=dict(dropout=0.35),
    auxiliary=dict(nce=dict(weight=0.01)),
    test_cfg=dict(post_processor=dict(steps=dict(nms=dict(decay='linear')))),
)
train_dataloader = dict(batch_size=32)
