# SPDX-License-Identifier: Apache-2.0
"""UniVTG on own data; docs/custom_data.md says what goes where."""

_base_ = [
    '../_base_/models/univtg.py',
    '../_base_/datasets/custom.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/default_runtime.py',
]
# CLIP features (512); the video has 2 temporal endpoint features more.
model = dict(
    video_projector=dict(in_dim=514),
    text_projector=dict(in_dim=512),
)
