# SPDX-License-Identifier: Apache-2.0
"""BAM-DETR on QVHighlights with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/bam_detr.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_drop80.py',
    '../_base_/default_runtime.py',
]

# Evaluated every epoch; the lr falls without a warm-up.
train_cfg = dict(val_interval=1)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[80, 160], gamma=0.1, by_epoch=True, begin=0, end=10**9),
]
# The published run.
randomness = dict(seed=2018)
