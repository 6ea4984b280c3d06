# SPDX-License-Identifier: Apache-2.0
"""BAM-DETR on Charades-STA with SlowFast and CLIP features.

The authors released no settings for this data: those for QVHighlights.
"""

_base_ = [
    '../_base_/models/bam_detr.py',
    '../_base_/benchmarks/charades_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_step80.py',
    '../_base_/runtime_moments.py',
]

randomness = dict(seed=2018)
