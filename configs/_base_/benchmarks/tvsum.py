# SPDX-License-Identifier: Apache-2.0
# TVSum without features; the files beside this one add them. One model per domain: set `domain` of
# the dataset, or run tools/train_domains.py. Published runs choose their epoch on the reported
# videos, and so does val here. docs/data.md says where the files go.
_base_ = './loaders_light.py'

train_dataloader = dict(batch_size=4)
val_dataloader = dict(batch_size=4)
benchmark = dict(
    name='TVSum',
    dataset=dict(
        type='GroundingDataset',
        annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
        labels=dict(saliency=dict(type='ClipRatings', offset=1.0, scale=12 / 80)),
        duration_unit='clips',
        features=dict(max_video_clips=1000, length_tolerance=4),
    ),
    splits=dict(
        train=dict(ann_file='data/tvsum/tvsum_train.jsonl'),
        val=dict(ann_file='data/tvsum/tvsum_val.jsonl'),
    ),
    domains=('BK', 'BT', 'DS', 'FM', 'GA', 'MS', 'PK', 'PR', 'VT', 'VU'),
    evaluator=dict(type='HighlightMetric', mode='top5'),
    clip_length=2.0,
)
