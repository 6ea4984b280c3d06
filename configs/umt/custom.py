# SPDX-License-Identifier: Apache-2.0
"""UMT on own data; docs/custom_data.md says what goes where. The features of the second stream lie
in data/custom/audio_features/{video}.npz, one row per clip as those of the video."""

_base_ = [
    '../_base_/models/umt.py',
    '../_base_/benchmarks/custom.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/default_runtime.py',
]

benchmark = dict(
    audio=dict(type='FolderStore', folder='audio_features', pattern='{vid}', dim=2048),
    dataset=dict(features=dict(tef=False)),
)
