# SPDX-License-Identifier: Apache-2.0
"""CG-DETR on TVSum with I3D features, one model per domain.

The published numbers are the better of one and two selected prompts per domain:
``--cfg-options model.fusion.context.num_selected=2``.
"""

_base_ = [
    '../_base_/models/cg_detr.py',
    '../_base_/benchmarks/tvsum_i3d.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

model = dict(
    # Only highlights are rated: the saliency terms are the only losses.
    refiner=dict(num_dummies=3, orthogonal_weight=0.0),
    fusion=dict(context=dict(orthogonal_weight=0.0)),
    moment_head=None,
    auxiliary=dict(correlation=None),
)
train_cfg = dict(max_epochs=1000)
randomness = dict(seed=2018)
