# SPDX-License-Identifier: Apache-2.0
# TVSum with the InternVideo2-1B features of SG-DETR: 512 wide video, one row per 2 s, and text
# tokens (512).
_base_ = './tvsum.py'

_from = dict(type='FolderStore', features_from='https://github.com/ai-forever/sg-detr')
_at = 'data/tvsum'
benchmark = dict(
    features='internvideo2_1b',
    dataset=dict(features=dict(max_text_tokens=40)),
    video=[dict(folder=f'{_at}/internvideo2_video', pattern='{vid}', dim=512, **_from)],
    text=[dict(folder=f'{_at}/internvideo2_text', pattern='{qid}', dim=512, **_from)],
)
del _from, _at
