# SPDX-License-Identifier: Apache-2.0
"""TR-DETR on QVHighlights with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/tr_detr.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

# The published run.
randomness = dict(seed=2017)
