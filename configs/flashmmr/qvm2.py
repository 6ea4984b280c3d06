# SPDX-License-Identifier: Apache-2.0
"""FlashMMR on QV-M2 with SlowFast and CLIP features; the settings are those of FlashVTG."""

_base_ = [
    '../_base_/models/flashmmr.py',
    '../_base_/benchmarks/qvm2_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

benchmark = dict(dataset=dict(features=dict(max_text_tokens=40)))
optim_wrapper = dict(optimizer=dict(lr=5e-4, weight_decay=1e-4))
train_cfg = dict(max_epochs=150, val_interval=1)
randomness = dict(seed=2024)
