# SPDX-License-Identifier: Apache-2.0
"""R2-Tuning on TVSum with CLIP tokens of four layers, one model per domain."""

_base_ = [
    '../_base_/models/variants/r2_tuning_highlights.py',
    '../_base_/benchmarks/tvsum_clip_layers.py',
    '../_base_/schedules/adamw_120e_drop80.py',
    '../_base_/runtime_highlights.py',
]

# Labels are targets of the scores and reach from 0 to 1.
train_cfg = dict(max_epochs=500, val_interval=1)
param_scheduler = [
    dict(type='LinearLR', start_factor=1 / 1000, by_epoch=False, begin=0, end=50),
]
benchmark = dict(
    dataset=dict(labels=dict(saliency=dict(scale=1 / 80, relevant='above_median', pair='random')))
)
