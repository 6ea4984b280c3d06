# SPDX-License-Identifier: Apache-2.0
# ActivityNet Captions with SlowFast (2304) and CLIP ViT-B/32 (512) video, one row per 2 s, and CLIP
# text tokens (512), as released with line/lighthouse.
_base_ = './activitynet.py'

_from = dict(type='FolderStore', features_from='https://github.com/line/lighthouse')
_at = 'data/activitynet'
benchmark = dict(
    features='qvhighlights_slowfast_clip',
    dataset=dict(features=dict(max_text_tokens=32)),
    video=[
        dict(folder=f'{_at}/slowfast_features', pattern='{vid}', dim=2304, **_from),
        dict(folder=f'{_at}/clip_features', pattern='{vid}', dim=512, **_from),
    ],
    text=[dict(folder=f'{_at}/clip_text_features', pattern='qid{qid}', dim=512, **_from)],
)
del _from, _at
