# SPDX-License-Identifier: Apache-2.0
"""VideoLights on TVSum with I3D features, one model per domain."""

_base_ = [
    '../_base_/models/variants/videolights_highlights.py',
    '../_base_/benchmarks/tvsum_i3d_videolights.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

randomness = dict(seed=2018)
