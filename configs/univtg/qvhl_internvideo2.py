# SPDX-License-Identifier: Apache-2.0
"""UniVTG on QVHighlights with the InternVideo2-1B features of SG-DETR (its Table 1)."""

_base_ = [
    '../_base_/models/univtg.py',
    '../_base_/benchmarks/qvhighlights_internvideo2.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

# All moments enter.
benchmark = dict(dataset=dict(labels=dict(max_windows=None)))
# Rates and epochs of qvhl.py.
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=1e-4))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=5)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=10),
    dict(type='MultiStepLR', milestones=[80, 160], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
randomness = dict(seed=2018)
