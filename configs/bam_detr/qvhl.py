# SPDX-License-Identifier: Apache-2.0
"""BAM-DETR on QVHighlights with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/bam_detr.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_step80.py',
    '../_base_/default_runtime.py',
]

# The published run.
randomness = dict(seed=2018)
