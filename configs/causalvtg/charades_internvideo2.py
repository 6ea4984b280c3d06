# SPDX-License-Identifier: Apache-2.0
"""CausalVTG on Charades-STA with InternVideo2 and LLaMA features."""

_base_ = [
    '../_base_/models/causalvtg.py',
    '../_base_/benchmarks/charades_internvideo2_llama.py',
    '../_base_/schedules/adamw_200e_drop80.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    auxiliary=dict(nce=dict(weight=0.01)),
    test_cfg=dict(post_processor=dict(steps=dict(round=dict(grid=0.1)))),
)
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4, weight_decay=1e-4), clip_grad=dict(max_norm=35.0))
train_cfg = dict(max_epochs=50, val_interval=1)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', milestones=[30], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
