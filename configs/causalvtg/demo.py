# SPDX-License-Identifier: Apache-2.0
"""A small CausalVTG on simulated data: trains on two CPU cores in under three minutes."""

_base_ = [
    '../_base_/models/causalvtg.py',
    '../_base_/benchmarks/simulated.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

model = dict(
    defaults=dict(dim=64, num_heads=4, hidden_dim=128, drop_path=0.0, num_rows=32),
    video_projector=dict(dropout=0.1),
    text_projector=dict(dropout=0.1),
    refiner=dict(video=dict(dropout=0.0), text=dict(dropout=0.0)),
    fusion=dict(context_query=dict(dropout=0.1)),
)

optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=1e-4), clip_grad=dict(max_norm=1.0))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=18, val_interval=6)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=3),
    dict(type='MultiStepLR', milestones=[14], gamma=0.3, by_epoch=True, begin=0, end=10**9),
]
