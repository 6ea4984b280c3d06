# SPDX-License-Identifier: Apache-2.0
# A rehearsal of TVSum: the real annotation files with small simulated features, to try the protocol
# before the real features are downloaded. Any config can be rehearsed in its own widths with
# `tools/train.py --rehearsal`. One model per domain: set `domain` of the three datasets, or run
# tools/train_domains.py.
domains = ('BK', 'BT', 'DS', 'FM', 'GA', 'MS', 'PK', 'PR', 'VT', 'VU')
_data = dict(
    type='GroundingDataset',
    domain='BK',
    annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
    video=[dict(type='SimulatedVideo', dim=64, difficulty=0.5)],
    text=[dict(type='SimulatedText', dim=64)],
    saliency=dict(type='ClipRatings', offset=1.0, scale=12 / 80),
    clip_length=2.0,
    duration_unit='clips',
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
benchmark = 'TVSum with simulated features'
val_evaluator = dict(type='HighlightMetric', mode='top5')
test_evaluator = dict(type='HighlightMetric', mode='top5')
del _data, _loader
