# SPDX-License-Identifier: Apache-2.0
"""EaTR on ActivityNet Captions with ResNet and GloVe features, reported on val_1.

The settings are those of line/lighthouse.
"""

_base_ = [
    '../_base_/models/variants/eatr_lighthouse.py',
    '../_base_/benchmarks/activitynet_lighthouse_resnet.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

train_cfg = dict(val_interval=1)
randomness = dict(seed=2023)
