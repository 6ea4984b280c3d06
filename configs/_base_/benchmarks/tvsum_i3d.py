# SPDX-License-Identifier: Apache-2.0
# TVSum with I3D (1024 RGB, 1024 flow) video, one row per 2 s, and CLIP text tokens (512) as stored,
# as released with UMT.
_base_ = './tvsum.py'

_from = dict(type='FolderStore', features_from='https://github.com/TencentARC/UMT')
_at = 'data/tvsum'
benchmark = dict(
    dataset=dict(features=dict(normalize_text=False)),
    video=[
        # The two streams of I3D are normalised as one vector.
        dict(
            type='JoinedStore',
            dim=2048,
            stores=[
                dict(folder=f'{_at}/video_features', pattern='{vid}_rgb', dim=1024, **_from),
                dict(folder=f'{_at}/video_features', pattern='{vid}_opt', dim=1024, **_from),
            ],
        ),
    ],
    text=[dict(folder=f'{_at}/query_features', pattern='{qid}', dim=512, **_from)],
)
del _from, _at
