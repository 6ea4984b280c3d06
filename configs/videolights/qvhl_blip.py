# SPDX-License-Identifier: Apache-2.0
"""VideoLights-B on QVHighlights: BLIP-2 features beside SlowFast and CLIP.

Words of CLIP and BLIP-2 are paired by position although their tokenisations differ, as published.
"""

_base_ = './qvhl.py'

_video = dict(
    type='FolderStore',
    folder='data/qvhighlights/blip_video_features',
    pattern='{vid}',
    dim=768,
    features_from='https://github.com/dpaul06/VideoLights',
)
_text = dict(
    type='FolderStore',
    folder='data/qvhighlights/blip_aug_text_features_openai',
    pattern='qid{qid}',
    dim=768,
    features_from='https://github.com/dpaul06/VideoLights',
)
benchmark = dict(
    video=[*_base_.benchmark.video, _video],
    text=[*_base_.benchmark.text, _text],
)
del _video, _text
