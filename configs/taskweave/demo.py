# SPDX-License-Identifier: Apache-2.0
"""A small TaskWeave on simulated data: trains on two CPU cores in under three minutes."""

_base_ = [
    '../_base_/models/taskweave.py',
    '../_base_/benchmarks/simulated.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

model = dict(
    defaults=dict(dim=64, num_heads=4, hidden_dim=128, dropout=0.0, residual_dropout=0.0),
    video_projector=dict(dropout=0.1),
    text_projector=dict(dropout=0.1),
    neck=dict(num_layers=1),
)

default_hooks = dict(ema=dict(type='EpochEMAHook', decay=0.5))
optim_wrapper = dict(
    optimizer=dict(lr=1e-3, weight_decay=1e-4),
    clip_grad=dict(max_norm=0.1),
    # A few hundred steps are too few for the balance to settle at the common rate.
    paramwise_cfg=dict(custom_keys=dict(loss_balancer=dict(lr_mult=10.0, decay_mult=0.0))),
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=30, val_interval=10)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=3),
    dict(type='MultiStepLR', milestones=[25], gamma=0.3, by_epoch=True, begin=0, end=10**9),
]
