# SPDX-License-Identifier: Apache-2.0
# CausalVTG and R2-Tuning on other data than QVHighlights: 50 epochs, a tenth of the lr from epoch
# 30 on, after a warm-up of 500 iterations.
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=2.5e-4, weight_decay=1e-4), clip_grad=dict(max_norm=35.0))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=50, val_interval=1)

param_scheduler = [
    dict(type='LinearLR', start_factor=1 / 1000, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', milestones=[30], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
