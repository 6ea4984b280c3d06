# SPDX-License-Identifier: Apache-2.0
"""TaskWeave on Charades-STA with I3D and GloVe features, feedback from moments.

The released code does not support this data; the settings are those of the paper.
"""

_base_ = [
    '../_base_/models/taskweave.py',
    '../_base_/benchmarks/charades_i3d.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    feedback=dict(moment_guided=dict(bins_per_clip=1)),
)
train_cfg = dict(max_epochs=100)
default_hooks = dict(ema=dict(type='EpochEMAHook', decay=0.9))
randomness = dict(seed=1004)
