# SPDX-License-Identifier: Apache-2.0
# The lr falls to 0 along a cosine, stepped per epoch; evaluated every epoch.
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=1e-4))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=250, val_interval=1)

param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=250, by_epoch=True, begin=0, end=10**9, eta_min=0.0),
]
