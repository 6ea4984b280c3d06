# SPDX-License-Identifier: Apache-2.0
# YouTube Highlights without features; the files beside this one add them. Rated clips are about 100
# frames long, 50 frames apart. One model per domain: set `domain` of the dataset, or run
# tools/train_domains.py. Published runs choose their epoch on the reported videos, and so does val
# here. docs/data.md says where the files go.
_base_ = './loaders_light.py'

train_dataloader = dict(batch_size=4)
val_dataloader = dict(batch_size=4)
benchmark = dict(
    name='YouTube Highlights',
    dataset=dict(
        type='GroundingDataset',
        annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
        labels=dict(saliency=dict(type='ClipRatings', offset=0.0, scale=1.0, relevant='positive')),
        features=dict(max_video_clips=1000, length_tolerance=4),
    ),
    splits=dict(
        train=dict(ann_file='data/youtube_highlights/youtube_train.jsonl'),
        val=dict(ann_file='data/youtube_highlights/youtube_valid.jsonl'),
    ),
    domains=('dog', 'gymnastics', 'parkour', 'skating', 'skiing', 'surfing'),
    evaluator=dict(type='HighlightMetric', mode='full'),
    clip_length=5 / 3,
)
