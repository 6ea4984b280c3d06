# SPDX-License-Identifier: Apache-2.0
# UVCOM on QVHighlights: a tenth of the lr from epoch 100 on, evaluated every five epochs.
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=1e-4))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=5)

# An open end (10**9) keeps MMEngine from storing max_epochs as the end of the decay.
param_scheduler = [
    dict(type='MultiStepLR', milestones=[100], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
