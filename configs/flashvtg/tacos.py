# SPDX-License-Identifier: Apache-2.0
"""FlashVTG on TACoS with SlowFast and CLIP features."""

_base_ = [
    '../_base_/models/flashvtg.py',
    '../_base_/benchmarks/tacos_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/default_runtime.py',
]

model = dict(
    defaults=dict(dropout=0.0, drop_path=0.0),
    # Its dropout is fixed in the released code.
    refiner=dict(num_dummies=35, num_layers=3, dropout=0.1, drop_path=0.1),
    fusion=dict(num_layers=8),
    moment_head=dict(scores=dict(num_convs=2)),
    auxiliary=dict(nce=dict(weight=0.05)),
)
benchmark = dict(dataset=dict(features=dict(max_text_tokens=100)))
optim_wrapper = dict(optimizer=dict(lr=2e-4))
train_cfg = dict(max_epochs=150, val_interval=3)
default_hooks = dict(checkpoint=dict(save_best='MR-full-R1@0.3'))
randomness = dict(seed=2024)
