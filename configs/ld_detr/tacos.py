# SPDX-License-Identifier: Apache-2.0
"""LD-DETR on TACoS with SlowFast and CLIP features. Its best epoch has the highest mAP."""

_base_ = [
    '../_base_/models/ld_detr.py',
    '../_base_/benchmarks/tacos_slowfast_clip.py',
    '../_base_/schedules/adamw_250e_cosine.py',
    '../_base_/default_runtime.py',
]

benchmark = dict(dataset=dict(features=dict(max_text_tokens=32)))
model = dict(
    auxiliary=dict(distillation=dict(distillation=0.7, warmup_steps=306)),
    loss_balancer=dict(type='FixedBalancer', weights=dict(saliency=4.0)),
)
