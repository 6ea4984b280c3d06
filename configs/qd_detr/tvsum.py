# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on TVSum with I3D features, one model per domain.

Published runs have the seeds 0, 1, 2, 3 and 2017.
"""

_base_ = [
    '../_base_/models/qd_detr.py',
    '../_base_/datasets/tvsum_i3d.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

# 2048 features and 2 temporal endpoint features; only highlights are rated
model = dict(video_projector=dict(in_dim=2050), moment_head=None)
