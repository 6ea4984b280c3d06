# SPDX-License-Identifier: Apache-2.0
"""VideoLights-B on QVHighlights: BLIP-2 features beside SlowFast and CLIP.

Words of CLIP and BLIP-2 are paired by position although their tokenisations differ, as published.
"""

_base_ = './qvhl.py'

# SlowFast 2304, CLIP 512, BLIP-2 768 and 2 temporal endpoint features; CLIP 512 and BLIP-2 768
model = dict(video_projector=dict(in_dim=3586), text_projector=dict(in_dim=1280))
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
train_dataloader = dict(
    dataset=dict(
        video=[*_base_.train_dataloader.dataset.video, _video],
        text=[*_base_.train_dataloader.dataset.text, _text],
    )
)
val_dataloader = dict(
    dataset=dict(
        video=[*_base_.val_dataloader.dataset.video, _video],
        text=[*_base_.val_dataloader.dataset.text, _text],
    )
)
test_dataloader = dict(
    dataset=dict(
        video=[*_base_.test_dataloader.dataset.video, _video],
        text=[*_base_.test_dataloader.dataset.text, _text],
    )
)
del _video, _text
