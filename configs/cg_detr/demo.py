# SPDX-License-Identifier: Apache-2.0
"""A small CG-DETR on simulated data: trains on two CPU cores in under three minutes."""

_base_ = [
    '../_base_/models/cg_detr.py',
    '../_base_/benchmarks/simulated.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

model = dict(
    defaults=dict(dim=64, num_heads=4, hidden_dim=128, dropout=0.0, drop_path=0.0),
    video_projector=dict(dropout=0.1),
    text_projector=dict(dropout=0.1),
    refiner=dict(num_dummies=4, num_layers=1),
    encoder=dict(num_layers=2),
    moment_head=dict(decoder=dict(num_layers=2)),
)

optim_wrapper = dict(optimizer=dict(lr=2e-3, weight_decay=1e-4), clip_grad=dict(max_norm=5.0))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=40, val_interval=20)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=3),
    dict(type='MultiStepLR', milestones=[29], gamma=0.3, by_epoch=True, begin=0, end=10**9),
]
