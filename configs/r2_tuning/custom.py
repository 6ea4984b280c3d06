# SPDX-License-Identifier: Apache-2.0
"""R2-Tuning on own data; docs/custom_data.md says what goes where. Feature files hold arrays
(clips, layers, tokens, width) of the video and (words, layers, width) of the text."""

_base_ = [
    '../_base_/models/r2_tuning.py',
    '../_base_/benchmarks/custom.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/default_runtime.py',
]

benchmark = dict(
    dataset=dict(features=dict(normalize_video=False, normalize_text=False)),
    video=dict(
        type='FolderStore', folder='video_features', pattern='{vid}', dim=768, row_shape=(4, 50)
    ),
    text=dict(
        type='FolderStore', folder='text_features', pattern='qid{qid}', dim=512, row_shape=(4,)
    ),
)
