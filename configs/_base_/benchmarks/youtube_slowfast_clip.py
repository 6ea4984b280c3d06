# SPDX-License-Identifier: Apache-2.0
# YouTube Highlights with CLIP (512) and SlowFast (2304) video, in this order, one row per rated
# clip, and CLIP text tokens (512) as stored, as released with UniVTG and used by CG-DETR and
# FlashVTG.
_base_ = './youtube.py'

_from = dict(type='FolderStore', features_from='https://github.com/showlab/UniVTG')
_at = 'data/youtube_highlights'
benchmark = dict(
    features='youtube_slowfast_clip',
    dataset=dict(features=dict(normalize_text=False)),
    video=[
        dict(folder=f'{_at}/vid_clip', pattern='{vid}', dim=512, **_from),
        dict(folder=f'{_at}/vid_slowfast', pattern='{vid}', dim=2304, **_from),
    ],
    text=[dict(folder=f'{_at}/txt_clip', pattern='{qid}', dim=512, **_from)],
)
del _from, _at
