# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on TVSum with I3D features, one model per domain.

Published runs have the seeds 0, 1, 2, 3 and 2017.
"""

_base_ = [
    '../_base_/models/qd_detr.py',
    '../_base_/benchmarks/tvsum_i3d.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

# Only highlights are rated.
model = dict(moment_head=None)
