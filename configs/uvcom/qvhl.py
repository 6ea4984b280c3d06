# SPDX-License-Identifier: Apache-2.0
"""UVCOM on QVHighlights, trained from scratch with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/uvcom.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_drop100.py',
    '../_base_/default_runtime.py',
]

randomness = dict(seed=2023)
