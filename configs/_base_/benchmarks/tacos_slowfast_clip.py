# SPDX-License-Identifier: Apache-2.0
# TACoS with SlowFast (2304) and CLIP ViT-B/32 (512) video, one row per 2 s, and CLIP text tokens
# (512), as released with CG-DETR.
_base_ = './tacos.py'

_from = dict(type='FolderStore', features_from='https://github.com/wjun0830/CGDETR')
_at = 'data/tacos'
benchmark = dict(
    features='tacos_slowfast_clip',
    video=[
        dict(folder=f'{_at}/slowfast_features', pattern='{vid}', dim=2304, **_from),
        dict(folder=f'{_at}/clip_features', pattern='{vid}', dim=512, **_from),
    ],
    text=[dict(folder=f'{_at}/clip_text_features', pattern='{qid}', dim=512, **_from)],
)
del _from, _at
