# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on DiDeMo with SlowFast and CLIP features: a baseline without published numbers."""

_base_ = [
    '../_base_/models/qd_detr.py',
    '../_base_/benchmarks/didemo_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]
