# SPDX-License-Identifier: Apache-2.0
# SG-DETR fine-tuning on QVHighlights: lr 1e-5 to 5e-4 over 5 epochs, halved at 10 and 30, and from
# epoch 36 down to 1e-5 in three epochs (what the released weight averaging does to the lr).
_base_ = './adamw.py'

optim_wrapper = dict(
    optimizer=dict(weight_decay=1e-4),
    # The saliency head keeps a weight decay of 0.1.
    paramwise_cfg=dict(custom_keys=dict(local_saliency_head=dict(decay_mult=1000.0))),
)

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=50, val_interval=1)

param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=True, begin=0, end=6),
    dict(type='MultiStepLR', milestones=[10, 30], gamma=0.5, by_epoch=True, begin=0, end=10**9),
    dict(type='CosineAnnealingLR', T_max=3, eta_min=1e-5, by_epoch=True, begin=36, end=40),
]
