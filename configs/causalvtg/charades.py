# SPDX-License-Identifier: Apache-2.0
"""CausalVTG on Charades-STA with CLIP and SlowFast features."""

_base_ = [
    '../_base_/models/causalvtg.py',
    '../_base_/benchmarks/charades_slowfast_clip.py',
    '../_base_/schedules/adamw_50e_drop30.py',
    '../_base_/runtime_moments.py',
]

benchmark = dict(
    video=_base_.benchmark.video[::-1],
    dataset=dict(
        features=dict(max_text_tokens=None),
        labels=dict(
            saliency=dict(type='AllWindows', clip_from='clip_length', rounding='ceil'),
            cut_windows=True,
            min_clips=1.0,
        ),
    ),
)
model = dict(
    auxiliary=dict(nce=dict(weight=0.01)),
    test_cfg=dict(post_processor=dict(steps=dict(round=dict(grid=0.1)))),
)
train_dataloader = dict(batch_size=64)
