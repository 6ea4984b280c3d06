# SPDX-License-Identifier: Apache-2.0
"""CG-DETR on QVHighlights with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/cg_detr.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

val_dataloader = dict(batch_size=100)
randomness = dict(seed=2018)
