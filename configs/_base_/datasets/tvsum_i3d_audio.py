# SPDX-License-Identifier: Apache-2.0
# TVSum with I3D (1024 RGB, 1024 flow) video and PANNs audio (2048), one row per 2 s, and CLIP text
# tokens (512) as stored, as released with UMT. Both sources have their own temporal endpoint
# features, as in QD-DETR: 2050 + 2050 columns. docs/data.md says where the files go. One model per
# domain: set `domain` of the three datasets, or run tools/train_domains.py. Published runs choose
# their epoch on the reported videos, and so does `val_dataloader` here.
domains = ('BK', 'BT', 'DS', 'FM', 'GA', 'MS', 'PK', 'PR', 'VT', 'VU')
_data = dict(
    type='GroundingDataset',
    domain='BK',
    annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
    video=[
        # The two streams of I3D are normalised as one vector.
        dict(
            type='JoinedStore',
            dim=2048,
            stores=[
                dict(
                    type='FolderStore',
                    folder='data/tvsum/video_features',
                    pattern='{vid}_rgb',
                    dim=1024,
                    features_from='https://github.com/TencentARC/UMT',
                ),
                dict(
                    type='FolderStore',
                    folder='data/tvsum/video_features',
                    pattern='{vid}_opt',
                    dim=1024,
                    features_from='https://github.com/TencentARC/UMT',
                ),
            ],
        ),
        dict(
            type='FolderStore',
            folder='data/tvsum/pann_features',
            pattern='{vid}',
            dim=2048,
            features_from='https://github.com/TencentARC/UMT',
        ),
    ],
    text=[
        dict(
            type='FolderStore',
            folder='data/tvsum/query_features',
            pattern='{qid}',
            dim=512,
            features_from='https://github.com/TencentARC/UMT',
        ),
    ],
    saliency=dict(type='ClipRatings', offset=1.0, scale=12 / 80),
    clip_length=2.0,
    duration_unit='clips',
    max_video_clips=1000,
    normalize_text=False,
    tef=(0, 1),
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
