# SPDX-License-Identifier: Apache-2.0
"""A small LD-DETR on simulated data: trains on two CPU cores in under three minutes."""

_base_ = [
    '../_base_/models/ld_detr.py',
    '../_base_/benchmarks/simulated.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

model = dict(
    defaults=dict(dim=64, num_heads=4, hidden_dim=128, dropout=0.0, residual_dropout=0.0),
    video_projector=dict(dropout=0.1),
    text_projector=dict(dropout=0.1),
    encoder=dict(first=dict(num_layers=1), blocks=dict(num_blocks=2), second=dict(num_layers=1)),
    auxiliary=dict(distillation=dict(queue_size=512, warmup_steps=16)),
)

optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=1e-2), clip_grad=dict(max_norm=1.0))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=24, val_interval=8)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=3),
    dict(type='MultiStepLR', milestones=[20], gamma=0.3, by_epoch=True, begin=0, end=10**9),
]
