# SPDX-License-Identifier: Apache-2.0
# Moment-DETR with an existence head on Soccer-GMR: a constant lr (its decay starts after the last
# epoch), evaluated every epoch.
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=5e-5, weight_decay=1e-4))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=400, val_interval=1)
param_scheduler = []
