# SPDX-License-Identifier: Apache-2.0
"""VideoLights-B with every documented quirk of the released code, for loading its weights."""

_base_ = './qvhl_official.py'

# As qvhl_blip.py.
_from = dict(type='FolderStore', dim=768, features_from='https://github.com/dpaul06/VideoLights')
_at = 'data/qvhighlights/blip'
_video = dict(folder=f'{_at}_video_features', pattern='{vid}', **_from)
_text = dict(folder=f'{_at}_aug_text_features_openai', pattern='qid{qid}', **_from)
benchmark = dict(
    video=[*_base_.benchmark.video, _video],
    text=[*_base_.benchmark.text, _text],
)
del _from, _at, _video, _text
