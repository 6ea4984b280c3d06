# SPDX-License-Identifier: Apache-2.0
"""A small QD-DETR on simulated data in the shape of TVSum: nothing to download."""

_base_ = [
    '../_base_/models/qd_detr.py',
    '../_base_/benchmarks/tvsum_simulated.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

# Only highlights are rated here: the model has no moment head.
model = dict(
    defaults=dict(dim=64, num_heads=4, hidden_dim=128, dropout=0.0, residual_dropout=0.0),
    video_projector=dict(dropout=0.1),
    text_projector=dict(dropout=0.1),
    moment_head=None,
)

optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=1e-4))
# One step per epoch: a domain has four training videos.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=40, val_interval=5)
param_scheduler = []
default_hooks = dict(checkpoint=dict(interval=20, save_best='HL-mAP'))
