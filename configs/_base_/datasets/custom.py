# SPDX-License-Identifier: Apache-2.0
# Own data, see docs/custom_data.md: data/custom/{train,val,test}.jsonl, video_features/{video}.npz
# and text_features/qid{qid}.npz. Another place, clip length or several backbones are arguments of
# the three datasets; the model has to know the widths.
_loader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    collate_fn=dict(type='vtg.collate'),
)
train_dataloader = dict(
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(type='CustomDataset', ann_file='train.jsonl'),
    **_loader,
)
val_dataloader = dict(
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(type='CustomDataset', ann_file='val.jsonl', test_mode=True),
    **_loader,
)
test_dataloader = dict(
    sampler=dict(type='EpochSampler', shuffle=False),
    dataset=dict(type='CustomDataset', ann_file='test.jsonl', test_mode=True),
    **_loader,
)
# Names the data in reports.
benchmark = 'own data'
val_evaluator = dict(type='GroundingMetric')
test_evaluator = dict(type='GroundingMetric')
del _loader
