# SPDX-License-Identifier: Apache-2.0
"""VideoLights-B on Charades-STA: BLIP-2 features beside SlowFast and CLIP."""

_base_ = [
    '../_base_/models/videolights.py',
    '../_base_/benchmarks/charades_slowfast_clip_blip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    moment_head=dict(losses=dict(align=dict(weight=0.3))),
    auxiliary=dict(clip_text=dict(losses=dict(cosine=dict(weight=0.3)))),
)
train_cfg = dict(max_epochs=100)
_selection = dict(
    selection={
        'MR-full-R1@0.3': 0.3,
        'MR-full-R1@0.5': 0.5,
        'MR-full-R1@0.7': 0.7,
        'MR-full-mIoU': 0.5,
    }
)
val_evaluator = _selection
test_evaluator = _selection
del _selection
randomness = dict(seed=2018)
