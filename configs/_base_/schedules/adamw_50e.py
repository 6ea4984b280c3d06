# SPDX-License-Identifier: Apache-2.0
# A start for own data, from no paper: a short warm-up, 50 epochs, a tenth of the rate for the last
# ten. With very few queries take more epochs, with very many fewer.
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=2e-4, weight_decay=1e-4))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=50, val_interval=5)

param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=4),
    dict(type='MultiStepLR', milestones=[40], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
