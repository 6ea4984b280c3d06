# SPDX-License-Identifier: Apache-2.0
"""A small UVCOM on simulated data: trains on two CPU cores in under three minutes."""

_base_ = [
    '../_base_/models/uvcom.py',
    '../_base_/benchmarks/simulated.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

model = dict(
    defaults=dict(dim=64, num_heads=4, hidden_dim=128, dropout=0.0, residual_dropout=0.0),
    video_projector=dict(dropout=0.1),
    text_projector=dict(dropout=0.1),
    refiner=dict(num_layers=1),
    fusion=dict(attention=dict(num_layers=1), integration=dict(video_centres=10, num_iterations=2)),
    encoder=dict(num_layers=2),
    moment_head=dict(queries=dict(num_queries=10, num_iterations=2), decoder=dict(num_layers=2)),
    # A third of the way, as in the published schedule.
    auxiliary=dict(contrast=dict(choose_from=8)),
)

# Half a batch costs less than half of a step: many small steps learn most per second.
train_dataloader = dict(batch_size=16)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=1e-2), clip_grad=dict(max_norm=1.0))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=24, val_interval=6)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=2),
    dict(type='MultiStepLR', milestones=[20], gamma=0.3, by_epoch=True, begin=0, end=10**9),
]
