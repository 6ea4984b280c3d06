# SPDX-License-Identifier: Apache-2.0
# R2-Tuning on QVHighlights: 30 epochs of four passes, here one pass an epoch; a tenth of the lr
# from epoch 80 on, after a warm-up of 500 iterations.
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=5e-4, weight_decay=1e-4), clip_grad=dict(max_norm=35.0))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=120, val_interval=4)

param_scheduler = [
    dict(type='LinearLR', start_factor=1 / 1000, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', milestones=[80], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
