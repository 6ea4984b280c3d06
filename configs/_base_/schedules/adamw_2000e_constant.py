# SPDX-License-Identifier: Apache-2.0
# The DETR family on TVSum and YouTube Highlights: a constant lr (its decay starts after the last
# epoch), evaluated every five epochs. A domain of TVSum has one step per epoch.
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=1e-4))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2000, val_interval=5)

param_scheduler = []
