# SPDX-License-Identifier: Apache-2.0
"""Synthetic pre-training of VideoLights-B: pretrain.py with BLIP-2 features beside the others."""

_base_ = './qvhl_blip.py'

model = dict(
    moment_head=dict(losses=dict(align=dict(weight=0.01))),
    auxiliary=dict(clip_text=dict(losses=dict(cosine=dict(weight=0.01)))),
)
_from = 'https://github.com/dpaul06/VideoLights'
train_dataloader = dict(
    batch_size=256,
    dataset=dict(
        ann_file='data/qvhighlights/pre_train_blip.jsonl',
        annotations_from=_from,
        text=[
            dict(
                type='FolderStore',
                folder='data/qvhighlights/clip_query_features',
                pattern='qid{qid}',
                dim=512,
                features_from=_from,
            ),
            dict(
                type='FolderStore',
                folder='data/qvhighlights/blip_query_features',
                pattern='qid{qid}',
                dim=768,
                features_from=_from,
            ),
        ],
        labels=dict(saliency=dict(_delete_=True, type='SingleWindow', clip_from='duration')),
    ),
)
train_cfg = dict(max_epochs=50)
del _from
