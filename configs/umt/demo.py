# SPDX-License-Identifier: Apache-2.0
"""A small UMT on simulated data with a second stream: trains on two CPU cores in under three
minutes."""

_base_ = [
    '../_base_/models/umt.py',
    '../_base_/benchmarks/simulated.py',
    '../_base_/schedules/adam_200e_constant.py',
    '../_base_/default_runtime.py',
]

model = dict(
    defaults=dict(dim=64, num_heads=4, hidden_dim=128, dropout=0.0, max_clips=100),
    video_projector=dict(dropout=0.0),
    audio_projector=dict(dropout=0.0),
    text_projector=dict(dropout=0.0),
    encoder=dict(num_layers=1),
)
# Another view of the same videos stands for their sound. UMT learns a vector for every place in a
# video, which takes many videos: here they are shorter than in the other demos, have one moment
# each and less noise.
benchmark = dict(
    audio=dict(type='SimulatedVideo', dim=64, backbone='audio', difficulty=0.3),
    dataset=dict(
        features=dict(tef=False),
        num_clips=(12, 20),
        max_moments=1,
        moment_clips=(2, 8),
        difficulty=0.3,
    ),
)
# Queries hold nothing of their clips but a choice of words: the model needs many steps to use it.
train_dataloader = dict(batch_size=8)
optim_wrapper = dict(optimizer=dict(lr=2e-3, weight_decay=0.0))
train_cfg = dict(max_epochs=18, val_interval=6)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=2),
    dict(type='MultiStepLR', milestones=[12, 16], gamma=0.3, by_epoch=True, begin=0, end=10**9),
]
