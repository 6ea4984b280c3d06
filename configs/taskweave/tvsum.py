# SPDX-License-Identifier: Apache-2.0
"""TaskWeave on TVSum with I3D features, one model per domain.

Batch and lr are those of the script; the paper says 2 and 1e-4. Its seeds are 0, 1, 2, 3 and 2017.
"""

_base_ = [
    '../_base_/models/variants/taskweave_highlights.py',
    '../_base_/datasets/tvsum_i3d.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

# 2048 features and 2 temporal endpoint features
model = dict(video_projector=dict(in_dim=2050))
default_hooks = dict(ema=dict(type='EpochEMAHook', decay=0.9))
