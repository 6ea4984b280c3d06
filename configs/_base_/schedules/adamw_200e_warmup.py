# SPDX-License-Identifier: Apache-2.0
# SG-DETR on TVSum: lr 1e-5 to 5e-4 over 20 epochs, then constant. (The released milestones, 12 and
# 18, lie inside the warm-up and never act.)
_base_ = './adamw.py'

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=1)

param_scheduler = [dict(type='LinearLR', start_factor=0.02, by_epoch=True, begin=0, end=21)]
