# SPDX-License-Identifier: Apache-2.0
"""CausalVTG on own data; docs/custom_data.md says what goes where."""

_base_ = [
    '../_base_/models/causalvtg.py',
    '../_base_/benchmarks/custom.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/default_runtime.py',
]
