# SPDX-License-Identifier: Apache-2.0
"""FlashVTG on Charades-STA with InternVideo2-6B clip features and LLaMA word features."""

_base_ = [
    '../_base_/models/flashvtg.py',
    '../_base_/benchmarks/charades_internvideo2_llama.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    moment_head=dict(
        scores=dict(kernel_size=7, num_convs=2, num_linear=3),
        losses=dict(clip_score=dict(weight=0.1)),
    ),
    auxiliary=dict(nce=dict(weight=0.01)),
)
optim_wrapper = dict(optimizer=dict(lr=1.5e-4))
train_cfg = dict(max_epochs=50, val_interval=1)
randomness = dict(seed=2024)
