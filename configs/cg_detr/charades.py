# SPDX-License-Identifier: Apache-2.0
"""CG-DETR on Charades-STA with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/variants/cg_detr_saliency4.py',
    '../_base_/benchmarks/charades_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/runtime_moments.py',
]

model = dict(fusion=dict(context=dict(num_selected=2)))
benchmark = dict(dataset=dict(features=dict(max_text_tokens=100)))
optim_wrapper = dict(optimizer=dict(lr=2e-4))
randomness = dict(seed=2018)
