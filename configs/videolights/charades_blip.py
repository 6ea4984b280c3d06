# SPDX-License-Identifier: Apache-2.0
"""VideoLights-B on Charades-STA: BLIP-2 features beside SlowFast and CLIP."""

_base_ = [
    '../_base_/models/videolights.py',
    '../_base_/datasets/charades_slowfast_clip_blip.py',
    '../_base_/schedules/adamw_200e_constant.py',
    '../_base_/runtime_moments.py',
]

model = dict(
    # SlowFast 2304, CLIP 512, BLIP-2 768 and 2 temporal endpoint features; CLIP 512 and BLIP-2 768
    video_projector=dict(in_dim=3586),
    text_projector=dict(in_dim=1280),
    moment_head=dict(alignment=dict(loss_weight=0.3)),
    auxiliary=dict(clip_text=dict(losses=dict(cosine=dict(loss_weight=0.3)))),
    test_cfg=dict(post_processor=dict(steps=dict(round=dict(grid=1.0)))),
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
