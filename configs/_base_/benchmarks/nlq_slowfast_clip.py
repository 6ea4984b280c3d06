# SPDX-License-Identifier: Apache-2.0
# Ego4D-NLQ with SlowFast (2304) and CLIP ViT-B/32 (512) video, one row per 2 s, and CLIP text
# tokens (512), as released with UniVTG.
_base_ = './nlq.py'

_from = dict(type='FolderStore', features_from='https://github.com/showlab/UniVTG')
_at = 'data/nlq'
benchmark = dict(
    features='tacos_slowfast_clip',
    video=[
        dict(folder=f'{_at}/slowfast_features', pattern='{vid}', dim=2304, **_from),
        dict(folder=f'{_at}/clip_features', pattern='{vid}', dim=512, **_from),
    ],
    text=[dict(folder=f'{_at}/clip_text_features', pattern='{qid}', dim=512, **_from)],
)
del _from, _at
