# SPDX-License-Identifier: Apache-2.0
# TVSum with SlowFast (2304), CLIP (512) and BLIP-2 (768) video, one row per 2 s, and CLIP text
# tokens (512), as released with VideoLights, whose scripts read no BLIP-2 text here.
_base_ = './tvsum.py'

_from = dict(type='FolderStore', features_from='https://github.com/dpaul06/VideoLights')
_at = 'data/tvsum'
benchmark = dict(
    features='tvsum_slowfast_clip_blip2',
    # VideoLights keeps clips beyond the ratings, with the label 0.
    dataset=dict(features=dict(max_text_tokens=32, unrated_clips='keep')),
    video=[
        dict(folder=f'{_at}/sf_features', pattern='{vid}', dim=2304, **_from),
        dict(folder=f'{_at}/clip_features', pattern='{vid}', dim=512, **_from),
        dict(folder=f'{_at}/video_features_blip', pattern='{vid}', dim=768, **_from),
    ],
    text=[dict(folder=f'{_at}/query_features', pattern='{qid}', dim=512, **_from)],
)
del _from, _at
