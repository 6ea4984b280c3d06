# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on QVHighlights with the InternVideo2-1B features of SG-DETR (its Table 1)."""

_base_ = [
    '../_base_/models/qd_detr.py',
    '../_base_/benchmarks/qvhighlights_internvideo2.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

randomness = dict(seed=2018)
