# SPDX-License-Identifier: Apache-2.0
"""TaskWeave on own data; docs/custom_data.md says what goes where."""

_base_ = [
    '../_base_/models/taskweave.py',
    '../_base_/benchmarks/custom.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/default_runtime.py',
]

# As in the published runs, evaluation uses the average of the weights over epochs.
default_hooks = dict(ema=dict(type='EpochEMAHook', decay=0.9))
