# SPDX-License-Identifier: Apache-2.0
"""FlashVTG on QVHighlights with InternVideo2-6B clip features (768) and LLaMA word features (4096).

A fifth level of the pyramid and no clip-aware score, as in the released script.
"""

_base_ = './qvhl.py'

benchmark = dict(
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
    neck=dict(strides=(1, 2, 4, 8, 16)),
    moment_head=dict(num_levels=5, losses=dict(clip_score=None)),
)
# The released training file lacks the queries 611 and 1265.
train_dataloader = dict(dataset=dict(skip_missing=True))
train_cfg = dict(val_interval=5)
