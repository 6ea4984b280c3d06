# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on Charades-STA with VGG and GloVe features.

The authors released no settings for this data: those of charades.py, with the clip length of these
features.
"""

_base_ = [
    '../_base_/models/qd_detr.py',
    '../_base_/benchmarks/charades_vgg.py',
    '../_base_/schedules/adamw_200e_drop40.py',
    '../_base_/default_runtime.py',
]

model = dict(
    loss_balancer=dict(type='FixedBalancer', weights=dict(saliency=4.0)),
)
train_dataloader = dict(batch_size=32)
randomness = dict(seed=2023)
