# SPDX-License-Identifier: Apache-2.0
"""Pre-training of VideoLights on speech transcripts (corpus comparison of Table V).

Moment-DETR's file of subtitles, one window each; otherwise as pretrain.py but for the weight of the
alignment.
"""

_base_ = './pretrain.py'

model = dict(
    moment_head=dict(losses=dict(align=dict(weight=0.2))),
    auxiliary=dict(clip_text=dict(losses=dict(cosine=dict(weight=0.2)))),
)
_from = 'https://github.com/jayleicn/moment_detr'
train_dataloader = dict(
    dataset=dict(
        ann_file='data/qvhighlights/subs_train.jsonl',
        annotations_from=_from,
        text=[
            dict(
                type='FolderStore',
                folder='data/qvhighlights/clip_sub_features',
                pattern='qid{qid}',
                dim=512,
                features_from=_from,
            )
        ],
    ),
)
del _from
