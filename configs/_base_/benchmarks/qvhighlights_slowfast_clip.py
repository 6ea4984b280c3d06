# SPDX-License-Identifier: Apache-2.0
# QVHighlights with the features of Moment-DETR: SlowFast (2304) and CLIP ViT-B/32 (512) video, one
# row per 2 s, and CLIP text tokens (512). The order of the backbones is that of the published
# checkpoints.
_base_ = './qvhighlights.py'

_from = dict(type='FolderStore', features_from='https://github.com/jayleicn/moment_detr')
_at = 'data/qvhighlights'
benchmark = dict(
    features='qvhighlights_slowfast_clip',
    dataset=dict(features=dict(max_text_tokens=32), labels=dict(max_windows=5)),
    video=[
        dict(folder=f'{_at}/slowfast_features', pattern='{vid}', dim=2304, **_from),
        dict(folder=f'{_at}/clip_features', pattern='{vid}', dim=512, **_from),
    ],
    text=[dict(folder=f'{_at}/clip_text_features', pattern='qid{qid}', dim=512, **_from)],
)
del _from, _at
