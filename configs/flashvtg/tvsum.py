# SPDX-License-Identifier: Apache-2.0
"""FlashVTG on TVSum with SlowFast and CLIP features, one model per domain."""

_base_ = [
    '../_base_/models/variants/flashvtg_highlights.py',
    '../_base_/benchmarks/tvsum_slowfast_clip.py',
    '../_base_/schedules/adamw_2000e_constant.py',
    '../_base_/runtime_highlights.py',
]

model = dict(
    refiner=dict(num_dummies=3),
    # The script sets other sizes (5, 2, 3) and does not pass them on.
    moment_head=dict(scores=dict(kernel_size=3, num_convs=3, num_linear=3)),
)
optim_wrapper = dict(optimizer=dict(weight_decay=0.05))
train_cfg = dict(max_epochs=600, val_interval=1)
randomness = dict(seed=2024)
