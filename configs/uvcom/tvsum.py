# SPDX-License-Identifier: Apache-2.0
"""UVCOM on TVSum with I3D features, one model per domain."""

_base_ = [
    '../_base_/models/uvcom.py',
    '../_base_/benchmarks/tvsum_i3d.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

# Only highlights are rated, and no clips are to be found: the labels have no moments.
model = dict(
    moment_head=None,
    auxiliary=dict(contrast=dict(moment='truncated_first')),
)
