# SPDX-License-Identifier: Apache-2.0
# Charades-STA with SlowFast (2304), CLIP (512) and BLIP-2 (768) video, one row per second, and CLIP
# (512) and BLIP-2 (768) text tokens, as released with VideoLights: both token sequences are paired
# by position and cut to the shorter.
_base_ = './charades.py'

_from = dict(type='FolderStore', features_from='https://github.com/dpaul06/VideoLights')
_at = 'data/charades_sta'
benchmark = dict(
    features='charades_slowfast_clip_blip2',
    dataset=dict(features=dict(max_video_clips=75, max_text_tokens=32)),
    video=[
        dict(folder=f'{_at}/slowfast_features', pattern='{vid}', dim=2304, **_from),
        dict(folder=f'{_at}/clip_features', pattern='{vid}', dim=512, **_from),
        dict(folder=f'{_at}/blip_video_features', pattern='{vid}', dim=768, **_from),
    ],
    text=[
        dict(folder=f'{_at}/clip_text_features', pattern='qid{qid}', dim=512, **_from),
        dict(folder=f'{_at}/blip_text_features', pattern='qid{qid}', dim=768, **_from),
    ],
)
del _from, _at
