# SPDX-License-Identifier: Apache-2.0
"""TaskWeave on QVHighlights with moment-guided feedback (MR2HD), best in moment retrieval."""

_base_ = [
    '../_base_/models/taskweave.py',
    '../_base_/benchmarks/qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

# Evaluation, selection and the published weights use the average over epochs.
default_hooks = dict(ema=dict(type='EpochEMAHook', decay=0.9))
val_dataloader = dict(batch_size=100)
randomness = dict(seed=1004)
