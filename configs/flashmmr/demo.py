# SPDX-License-Identifier: Apache-2.0
"""A small FlashMMR on simulated data with up to six moments per query: trains on two CPU cores in
under three minutes."""

_base_ = [
    '../_base_/models/flashmmr.py',
    '../_base_/benchmarks/simulated.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

benchmark = dict(
    name='simulated data with many moments',
    dataset=dict(max_moments=6, moment_clips=(2, 6), labels=dict(saliency=dict(type='AllWindows'))),
)
model = dict(
    defaults=dict(dim=64, num_heads=4, hidden_dim=128, dropout=0.0, drop_path=0.0),
    video_projector=dict(dropout=0.1),
    text_projector=dict(dropout=0.1),
    refiner=dict(num_dummies=8),
    fusion=dict(num_layers=2),
    auxiliary=dict(verification=dict(hidden_dim=32, dropout=0.1)),
)

optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=1e-4), clip_grad=dict(max_norm=1.0))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=15, val_interval=5)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=3),
    dict(type='MultiStepLR', milestones=[12], gamma=0.3, by_epoch=True, begin=0, end=10**9),
]
