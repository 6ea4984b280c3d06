# SPDX-License-Identifier: Apache-2.0
"""CG-DETR on CASTELLA (audio) with CLAP features, trained from scratch.

The settings are those of line/lighthouse.
"""

_base_ = [
    '../_base_/models/cg_detr.py',
    '../_base_/benchmarks/castella_clap.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

model = dict(fusion=dict(context=dict(num_selected=2)))
train_cfg = dict(val_interval=1)
randomness = dict(seed=2023)
