# SPDX-License-Identifier: Apache-2.0
# YouTube Highlights with I3D (1024 RGB, 1024 flow) video and PANN audio features (2048) as a stream
# of their own, one row per rated clip, and without any text, as released with UMT.
_base_ = './youtube.py'

_from = dict(type='FolderStore', features_from='https://github.com/TencentARC/UMT')
_at = 'data/youtube_highlights'
benchmark = dict(
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
    audio=[dict(folder=f'{_at}/audio_features', pattern='{vid}', dim=2048, **_from)],
    text=[dict(type='BlankStore', dim=1)],
)
del _from, _at
