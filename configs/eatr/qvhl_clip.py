# SPDX-License-Identifier: Apache-2.0
"""EaTR on QVHighlights with CLIP features only, as line/lighthouse ran it."""

_base_ = [
    '../_base_/models/variants/eatr_lighthouse.py',
    '../_base_/benchmarks/qvhighlights_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

train_cfg = dict(val_interval=1)
randomness = dict(seed=2023)
