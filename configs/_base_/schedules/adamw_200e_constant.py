# SPDX-License-Identifier: Apache-2.0
# TaskWeave on QVHighlights: a constant lr (its decay starts after the last epoch), evaluated every
# five epochs. Its averaged weights are a hook: default_hooks = dict(ema=dict(type='EpochEMAHook')).
_base_ = './adamw.py'

optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=1e-4))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=5)

param_scheduler = []
