# SPDX-License-Identifier: Apache-2.0
"""VideoLights on own data; docs/custom_data.md says what goes where."""

_base_ = [
    '../_base_/models/videolights.py',
    '../_base_/datasets/custom.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/default_runtime.py',
]
# CLIP features (512); the video has 2 temporal endpoint features more.
model = dict(
    video_projector=dict(in_dim=514),
    text_projector=dict(in_dim=512),
    # Moments end with the video, whatever its length, and lie on no grid.
    test_cfg=dict(post_processor=dict(steps=dict(clamp=dict(high=None), round=None))),
)
