# SPDX-License-Identifier: Apache-2.0
"""CausalVTG on ActivityNet-RF (half of the queries have no answer) with InternVideo2 features."""

_base_ = [
    '../_base_/models/causalvtg.py',
    '../_base_/benchmarks/activitynet_rf_internvideo2_llama.py',
    '../_base_/schedules/adamw_50e_drop30.py',
    '../_base_/runtime_moments.py',
]

benchmark = dict(
    dataset=dict(
        labels=dict(
            saliency=dict(type='AllWindows', clip_from='clip_length', rounding='ceil'),
            cut_windows=True,
            min_clips=1.0,
        )
    )
)
model = dict(
    neck=dict(strides=(1, 2, 4, 8, 16)),
    moment_head=dict(num_levels=5),
    auxiliary=dict(nce=dict(weight=0.01)),
)
train_dataloader = dict(batch_size=64)
