# SPDX-License-Identifier: Apache-2.0
# Charades-STA with the InternVideo2-1B features of SG-DETR: 512 wide video, one row per second, and
# text tokens (512). A clip is relevant where more than half of it lies in a window.
_base_ = './charades.py'

train_dataloader = dict(batch_size=64)
val_dataloader = dict(batch_size=64)
_from = dict(type='FolderStore', features_from='https://github.com/ai-forever/sg-detr')
_at = 'data/charades_sta'
benchmark = dict(
    features='charades_internvideo2_1b',
    dataset=dict(
        labels=dict(saliency=dict(_delete_=True, type='CoveredClips', share=0.5), max_windows=10),
        features=dict(max_video_clips=200, max_text_tokens=40),
    ),
    video=[dict(folder=f'{_at}/internvideo2_video', pattern='{vid}', dim=512, **_from)],
    text=[dict(folder=f'{_at}/internvideo2_text', pattern='{qid}', dim=512, **_from)],
    duration_limit=200.0,
    grid=0.1,
)
del _from, _at
