# SPDX-License-Identifier: Apache-2.0
"""VideoLights on QVHighlights with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/videolights.py',
    '../_base_/datasets/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

randomness = dict(seed=2018)
