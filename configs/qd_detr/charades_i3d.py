# SPDX-License-Identifier: Apache-2.0
"""QD-DETR on Charades-STA with I3D and GloVe features (the paper's table says C3D).

The authors released no settings for this data: those of charades.py.
"""

_base_ = [
    '../_base_/models/qd_detr.py',
    '../_base_/datasets/charades_i3d.py',
    '../_base_/schedules/adamw_200e_drop40.py',
    '../_base_/default_runtime.py',
]

# 1024 features and 2 temporal endpoint features; GloVe 300
model = dict(
    video_projector=dict(in_dim=1026),
    text_projector=dict(in_dim=300),
    loss_balancer=dict(type='FixedBalancer', weights=dict(saliency=4.0)),
    test_cfg=dict(post_processor=dict(steps=dict(round=dict(grid=1.0)))),
)
randomness = dict(seed=2023)
