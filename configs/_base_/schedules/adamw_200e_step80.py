# SPDX-License-Identifier: Apache-2.0
# BAM-DETR: a tenth of the lr after every eighty epochs, without a warm-up, evaluated every epoch.
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=1e-4))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=1)

# An open end (10**9) keeps MMEngine from storing max_epochs as the end of the decay.
param_scheduler = [
    dict(type='StepLR', step_size=80, gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
