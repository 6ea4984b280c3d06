# SPDX-License-Identifier: Apache-2.0
"""UniVTG on QVHighlights, trained from scratch with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/univtg.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

# All words and all moments enter.
benchmark = dict(dataset=dict(features=dict(max_text_tokens=None), labels=dict(max_windows=None)))

optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=1e-4))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=5)
# lr * (epoch + 1) / 10 in the first ten epochs, a tenth after every eighty.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=10),
    dict(type='MultiStepLR', milestones=[80, 160], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
randomness = dict(seed=2018)
