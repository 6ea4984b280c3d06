# SPDX-License-Identifier: Apache-2.0
# TVSum with SlowFast (2304) and CLIP (512) video, one row per 2 s, and CLIP text tokens (512) as
# stored, as released with UniVTG and used by FlashVTG.
_base_ = './tvsum.py'

_from = dict(type='FolderStore', features_from='https://github.com/showlab/UniVTG')
_at = 'data/tvsum'
benchmark = dict(
    features='tvsum_slowfast_clip',
    dataset=dict(features=dict(normalize_text=False)),
    video=[
        dict(folder=f'{_at}/vid_slowfast', pattern='{vid}', dim=2304, **_from),
        dict(folder=f'{_at}/vid_clip', pattern='{vid}', dim=512, **_from),
    ],
    text=[dict(folder=f'{_at}/txt_clip', pattern='{qid}', dim=512, **_from)],
)
del _from, _at
