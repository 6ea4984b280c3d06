# SPDX-License-Identifier: Apache-2.0
"""CG-DETR on QVHighlights with the InternVideo2-1B features of SG-DETR (its Table 1)."""

_base_ = [
    '../_base_/models/cg_detr.py',
    '../_base_/benchmarks/qvhighlights_internvideo2.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

val_dataloader = dict(batch_size=100)
randomness = dict(seed=2018)
