# SPDX-License-Identifier: Apache-2.0
# YouTube Highlights with InternVideo2-1B features as in SG-DETR: 512 wide video, here one row per
# rated clip of the published annotation (SG-DETR's own annotation files were not released), and
# text tokens (512). docs/data.md says where the files go. One model per domain: set `domain` of the
# three datasets, or run tools/train_domains.py. Published runs choose their epoch on the reported
# videos, and so does `val_dataloader` here.
domains = ('dog', 'gymnastics', 'parkour', 'skating', 'skiing', 'surfing')
_data = dict(
    type='GroundingDataset',
    domain='dog',
    annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
    video=[
        dict(
            type='FolderStore',
            folder='data/youtube_highlights/internvideo2_video',
            pattern='{vid}',
            dim=512,
            features_from='https://github.com/ai-forever/sg-detr',
        ),
    ],
    text=[
        dict(
            type='FolderStore',
            folder='data/youtube_highlights/internvideo2_text',
            pattern='{qid}',
            dim=512,
            features_from='https://github.com/ai-forever/sg-detr',
        ),
    ],
    saliency=dict(type='ClipRatings', offset=0.0, scale=1.0, relevant='positive'),
    clip_length=5 / 3,
    max_video_clips=1000,
    max_text_tokens=40,
    length_tolerance=4,
)
_loader = dict(num_workers=0, collate_fn=dict(type='vtg.collate'))
train_dataloader = dict(
    batch_size=4,
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(ann_file='data/youtube_highlights/youtube_train.jsonl', **_data),
    **_loader,
)
val_dataloader = dict(
    batch_size=4,
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(ann_file='data/youtube_highlights/youtube_valid.jsonl', test_mode=True, **_data),
    **_loader,
)
test_dataloader = dict(
    batch_size=4,
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(ann_file='data/youtube_highlights/youtube_valid.jsonl', test_mode=True, **_data),
    **_loader,
)
# Names the data in reports; published numbers are looked up under it.
benchmark = 'YouTube Highlights'
val_evaluator = dict(type='HighlightMetric', mode='full')
test_evaluator = dict(type='HighlightMetric', mode='full')
del _data, _loader
