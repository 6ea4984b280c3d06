# SPDX-License-Identifier: Apache-2.0
"""FlashVTG on QVHighlights with InternVideo2-6B clip features (768) and LLaMA word features (4096).

A fifth level of the pyramid and no clip-aware score, as in the released script.
"""

_base_ = './qvhl.py'

_features = dict(
    video=[
        dict(
            type='FolderStore',
            folder='data/qvhighlights/internvideo2_6b_video',
            pattern='{vid}',
            dim=768,
            features_from='https://github.com/Zhuo-Cao/FlashVTG',
        )
    ],
    text=[
        dict(
            type='FolderStore',
            folder='data/qvhighlights/llama_text',
            pattern='qid{qid}',
            dim=4096,
            features_from='https://github.com/Zhuo-Cao/FlashVTG',
        )
    ],
)
model = dict(
    # 768 features and 2 temporal endpoint features
    video_projector=dict(in_dim=770),
    text_projector=dict(in_dim=4096),
    neck=dict(strides=(1, 2, 4, 8, 16)),
    moment_head=dict(num_levels=5, loss_weights=dict(clip_score=0.0)),
)
# The released training file lacks the queries 611 and 1265.
train_dataloader = dict(dataset=dict(skip_missing=True, **_features))
val_dataloader = dict(dataset=_features)
test_dataloader = dict(dataset=_features)
train_cfg = dict(val_interval=5)
del _features
