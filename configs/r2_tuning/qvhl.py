# SPDX-License-Identifier: Apache-2.0
"""R2-Tuning on QVHighlights with CLIP tokens of four layers."""

_base_ = [
    '../_base_/models/r2_tuning.py',
    '../_base_/benchmarks/qvhighlights_clip_layers.py',
    '../_base_/schedules/adamw_120e_drop80.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(batch_size=128)
