# SPDX-License-Identifier: Apache-2.0
# YouTube Highlights with InternVideo2-1B features as in SG-DETR: 512 wide video, here one row per
# rated clip of the published annotation (SG-DETR's own annotation files were not released), and
# text tokens (512).
_base_ = './youtube.py'

_from = dict(type='FolderStore', features_from='https://github.com/ai-forever/sg-detr')
_at = 'data/youtube_highlights'
benchmark = dict(
    features='youtube_internvideo2_1b',
    dataset=dict(features=dict(max_text_tokens=40)),
    video=[dict(folder=f'{_at}/internvideo2_video', pattern='{vid}', dim=512, **_from)],
    text=[dict(folder=f'{_at}/internvideo2_text', pattern='{qid}', dim=512, **_from)],
)
del _from, _at
