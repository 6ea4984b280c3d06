# SPDX-License-Identifier: Apache-2.0
"""LD-DETR on Charades-STA with SlowFast and CLIP features. Its best epoch has the highest mAP."""

_base_ = [
    '../_base_/models/ld_detr.py',
    '../_base_/benchmarks/charades_slowfast_clip.py',
    '../_base_/schedules/adamw_250e_cosine.py',
    '../_base_/default_runtime.py',
]

model = dict(
    encoder=dict(blocks=dict(num_blocks=4)),
    auxiliary=dict(
        distillation=dict(distillation=0.3, warmup_steps=388), prediction=dict(weight=0.4)
    ),
    loss_balancer=dict(type='FixedBalancer', weights=dict(saliency=1.5)),
)
train_cfg = dict(max_epochs=100)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=100, by_epoch=True, eta_min=0.0)]
