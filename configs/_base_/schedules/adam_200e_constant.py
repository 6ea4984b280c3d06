# SPDX-License-Identifier: Apache-2.0
# UMT: Adam whose weight decay is a part of the gradient, a constant lr and no clipping.
optim_wrapper = dict(
    type='GroundingOptimWrapper', optimizer=dict(type='Adam', lr=1e-3, weight_decay=1e-4)
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=1)
param_scheduler = []
