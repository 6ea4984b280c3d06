# SPDX-License-Identifier: Apache-2.0
"""EaTR on CASTELLA (audio) with CLAP features, trained from scratch.

The settings are those of line/lighthouse.
"""

_base_ = [
    '../_base_/models/variants/eatr_lighthouse.py',
    '../_base_/benchmarks/castella_clap.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

train_cfg = dict(val_interval=1)
randomness = dict(seed=2023)
