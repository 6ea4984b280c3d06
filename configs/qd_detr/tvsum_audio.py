# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on TVSum with PANN audio features beside the video features, one model per domain."""

_base_ = [
    '../_base_/models/qd_detr.py',
    '../_base_/benchmarks/tvsum_i3d_audio.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

# 2048 and 2048 features, each with 2 temporal endpoint features; only highlights are rated
# Only highlights are rated.
model = dict(moment_head=None)
