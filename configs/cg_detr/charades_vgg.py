# SPDX-License-Identifier: Apache-2.0
"""CG-DETR on Charades-STA with VGG and GloVe features."""

_base_ = [
    '../_base_/models/variants/cg_detr_saliency4.py',
    '../_base_/benchmarks/charades_vgg.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    defaults=dict(dropout=0.2, drop_path=0.2),
    # Its dropout is fixed in the released code.
    refiner=dict(dropout=0.1, drop_path=0.1),
    fusion=dict(context=dict(num_selected=2)),
)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
randomness = dict(seed=2018)
