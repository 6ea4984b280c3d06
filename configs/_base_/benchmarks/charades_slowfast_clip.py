# SPDX-License-Identifier: Apache-2.0
# Charades-STA with SlowFast (2304) and CLIP ViT-B/32 (512) video, one row per second, and CLIP text
# tokens (512), as released with CG-DETR.
_base_ = './charades.py'

_from = dict(type='FolderStore', features_from='https://github.com/wjun0830/CGDETR')
_at = 'data/charades_sta'
benchmark = dict(
    features='charades_slowfast_clip',
    dataset=dict(features=dict(max_text_tokens=32)),
    video=[
        dict(folder=f'{_at}/slowfast_features', pattern='{vid}', dim=2304, **_from),
        dict(folder=f'{_at}/clip_features', pattern='{vid}', dim=512, **_from),
    ],
    text=[dict(folder=f'{_at}/clip_text_features', pattern='qid{qid}', dim=512, **_from)],
)
del _from, _at
