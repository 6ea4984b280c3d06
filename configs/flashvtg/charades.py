# SPDX-License-Identifier: Apache-2.0
"""FlashVTG on Charades-STA with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/flashvtg.py',
    '../_base_/benchmarks/charades_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    moment_head=dict(losses=dict(clip_score=dict(weight=0.1))),
    auxiliary=dict(nce=dict(weight=0.01)),
)
train_dataloader = dict(batch_size=128)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4))
train_cfg = dict(max_epochs=50, val_interval=1)
randomness = dict(seed=2024)
