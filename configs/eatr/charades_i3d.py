# SPDX-License-Identifier: Apache-2.0
"""EaTR on Charades-STA with I3D and GloVe features.

The authors released no settings for this data, on which they publish: those of charades.py.
"""

_base_ = [
    '../_base_/models/eatr.py',
    '../_base_/benchmarks/charades_i3d.py',
    '../_base_/schedules/adamw_200e_drop40.py',
    '../_base_/default_runtime.py',
]

model = dict(
    loss_balancer=dict(type='FixedBalancer', weights=dict(saliency=4.0)),
)
randomness = dict(seed=2023)
