# SPDX-License-Identifier: Apache-2.0
"""Synthetic pre-training of VideoLights: captions of ten-second intervals as queries.

Every record has one interval, whose clips are labelled 1; the similarities that the file stores are
not read, as published. Validated on QVHighlights. The videos are those of QVHighlights and of
Charades-STA; the features of both lie in the folders of QVHighlights, one row per 2 s.
"""

_base_ = './qvhl.py'

model = dict(
    moment_head=dict(losses=dict(align=dict(weight=0.01))),
    auxiliary=dict(clip_text=dict(losses=dict(cosine=dict(weight=0.01)))),
)
train_dataloader = dict(
    batch_size=256,
    dataset=dict(
        ann_file='data/qvhighlights/pre_train_blip.jsonl',
        annotations_from='https://github.com/dpaul06/VideoLights',
        text=[
            dict(
                type='FolderStore',
                folder='data/qvhighlights/clip_query_features',
                pattern='qid{qid}',
                dim=512,
                features_from='https://github.com/dpaul06/VideoLights',
            )
        ],
        labels=dict(saliency=dict(_delete_=True, type='SingleWindow', clip_from='duration')),
    ),
)
train_cfg = dict(max_epochs=50)
