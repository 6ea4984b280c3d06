# SPDX-License-Identifier: Apache-2.0
# The schedule of the DETR family with a warm-up by iteration: lr * (i + 1) / 1000 in iteration i,
# then 1e-4, a tenth of it from epoch 100.
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=1e-4))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=1)

param_scheduler = [
    dict(type='LinearLR', start_factor=1 / 1000, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', milestones=[100], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
