# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR trained on Clotho-Moment, tested on TUT Sound Events 2017 (audio)."""

_base_ = [
    '../_base_/models/moment_detr.py',
    '../_base_/benchmarks/tut2017_clap.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

train_cfg = dict(val_interval=1)
randomness = dict(seed=2023)
