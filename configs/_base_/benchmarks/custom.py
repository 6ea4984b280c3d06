# SPDX-License-Identifier: Apache-2.0
# Own data, see docs/custom_data.md: data/custom/{train,val,test}.jsonl, video_features/{video}.npz
# and text_features/qid{qid}.npz. Another place, clip length or several backbones are facts to state
# here; the widths are those of CLIP. Moments end with the video and lie on no grid.
_base_ = './loaders.py'

train_dataloader = dict(num_workers=2, pin_memory=False)
val_dataloader = dict(num_workers=2, pin_memory=False)
benchmark = dict(
    name='own data',
    dataset=dict(type='CustomDataset'),
    splits=dict(
        train=dict(ann_file='train.jsonl'),
        val=dict(ann_file='val.jsonl'),
        test=dict(ann_file='test.jsonl'),
    ),
    evaluator=dict(type='GroundingMetric'),
    video_dim=512,
    text_dim=512,
    grid=None,
)
