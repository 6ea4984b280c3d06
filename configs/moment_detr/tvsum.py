# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR on TVSum with I3D features, one model per domain.

The authors released no settings for this data: those of line/lighthouse.
"""

_base_ = [
    '../_base_/models/moment_detr.py',
    '../_base_/benchmarks/tvsum_i3d.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

model = dict(moment_head=None)
train_cfg = dict(val_interval=1)
randomness = dict(seed=2018)
