# SPDX-License-Identifier: Apache-2.0
# SG-DETR on Charades-STA: lr 5e-6 to 5e-4 over 20 epochs, halved at 40 and 50.
_base_ = './adamw.py'

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=100, val_interval=1)

# `end` is exclusive and the factor is 1 in the last epoch of the range, hence warm-up epochs + 1.
# An open end (10**9) keeps MMEngine from storing max_epochs as the end of the decay.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=True, begin=0, end=21),
    dict(type='MultiStepLR', milestones=[40, 50], gamma=0.5, by_epoch=True, begin=0, end=10**9),
]
