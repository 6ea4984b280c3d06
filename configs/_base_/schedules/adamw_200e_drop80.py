# SPDX-License-Identifier: Apache-2.0
# UniVTG: lr * (epoch + 1) / 10 in the first ten epochs, a tenth after every eighty.
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=1e-4))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=5)

# An open end (10**9) keeps MMEngine from storing max_epochs as the end of the decay.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=10),
    dict(type='MultiStepLR', milestones=[80, 160], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
