# SPDX-License-Identifier: Apache-2.0
"""LD-DETR on QVHighlights with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/ld_detr.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_250e_cosine.py',
    '../_base_/default_runtime.py',
]
