# SPDX-License-Identifier: Apache-2.0
# SG-DETR pre-training: lr 1e-5 to 5e-4 over 4 epochs, a tenth at 20 and 27.
_base_ = './adamw.py'

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=30, val_interval=1)

# `end` is exclusive and the factor is 1 in the last epoch of the range, hence warm-up epochs + 1.
# An open end (10**9) keeps MMEngine from storing max_epochs as the end of the decay.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=True, begin=0, end=5),
    dict(type='MultiStepLR', milestones=[20, 27], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
