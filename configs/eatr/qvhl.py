# SPDX-License-Identifier: Apache-2.0
"""EaTR on QVHighlights, trained from scratch with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/eatr.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_drop150.py',
    '../_base_/default_runtime.py',
]

randomness = dict(seed=429)
