# SPDX-License-Identifier: Apache-2.0
"""TaskWeave on TVSum with I3D features, one model per domain.

Batch and lr are those of the script; the paper says 2 and 1e-4. Its seeds are 0, 1, 2, 3 and 2017.
"""

_base_ = [
    '../_base_/models/variants/taskweave_highlights.py',
    '../_base_/benchmarks/tvsum_i3d.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

default_hooks = dict(ema=dict(type='EpochEMAHook', decay=0.9))
