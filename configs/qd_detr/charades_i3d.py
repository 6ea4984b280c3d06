# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on Charades-STA with I3D and GloVe features (the paper's table says C3D).

The authors released no settings for this data: those of charades.py.
"""

_base_ = [
    '../_base_/models/qd_detr.py',
    '../_base_/benchmarks/charades_i3d.py',
    '../_base_/schedules/adamw_200e_drop40.py',
    '../_base_/default_runtime.py',
]

model = dict(
    loss_balancer=dict(type='FixedBalancer', weights=dict(saliency=4.0)),
)
randomness = dict(seed=2023)
