# SPDX-License-Identifier: Apache-2.0
# TVSum with the InternVideo2-1B features of SG-DETR: 512 wide video, one row per 2 s, and text
# tokens (512). docs/data.md says where the files go. One model per domain: set `domain` of the
# three datasets, or run tools/train_domains.py. Published runs choose their epoch on the reported
# videos, and so does `val_dataloader` here.
domains = ('BK', 'BT', 'DS', 'FM', 'GA', 'MS', 'PK', 'PR', 'VT', 'VU')
_data = dict(
    type='GroundingDataset',
    domain='BK',
    annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
    video=[
        dict(
            type='FolderStore',
            folder='data/tvsum/internvideo2_video',
            pattern='{vid}',
            dim=512,
            features_from='https://github.com/ai-forever/sg-detr',
        ),
    ],
    text=[
        dict(
            type='FolderStore',
            folder='data/tvsum/internvideo2_text',
            pattern='{qid}',
            dim=512,
            features_from='https://github.com/ai-forever/sg-detr',
        ),
    ],
    saliency=dict(type='ClipRatings', offset=1.0, scale=12 / 80),
    clip_length=2.0,
    duration_unit='clips',
    max_video_clips=1000,
    max_text_tokens=40,
    length_tolerance=4,
)
_loader = dict(num_workers=0, collate_fn=dict(type='vtg.collate'))
train_dataloader = dict(
    batch_size=4,
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(ann_file='data/tvsum/tvsum_train.jsonl', **_data),
    **_loader,
)
val_dataloader = dict(
    batch_size=4,
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(ann_file='data/tvsum/tvsum_val.jsonl', test_mode=True, **_data),
    **_loader,
)
test_dataloader = dict(
    batch_size=4,
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(ann_file='data/tvsum/tvsum_val.jsonl', test_mode=True, **_data),
    **_loader,
)
# Names the data in reports; published numbers are looked up under it.
benchmark = 'TVSum'
val_evaluator = dict(type='HighlightMetric', mode='top5')
test_evaluator = dict(type='HighlightMetric', mode='top5')
del _data, _loader
