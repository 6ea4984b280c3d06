# SPDX-License-Identifier: Apache-2.0
# ActivityNet Captions without features; the files beside this one add them. Two protocols are in
# use, and their numbers do not compare: val_1 chooses the epoch and val_2 is reported (here, and
# most papers), or val_1 is both (activitynet_lighthouse.py). The videos of val_2 are in val_1 too.
# The name of the data says which. docs/data.md says where the files go.
_base_ = './loaders.py'

benchmark = dict(
    name='ActivityNet Captions (val_2)',
    dataset=dict(
        type='GroundingDataset',
        windows='repair',
        annotations_from='https://github.com/jinhyunj/EaTR/tree/main/data/activitynet',
        labels=dict(saliency=dict(type='SingleWindow', clip_from='duration')),
        features=dict(length_tolerance=5),
    ),
    splits=dict(
        train=dict(ann_file='data/activitynet/activitynet_train.jsonl'),
        val=dict(ann_file='data/activitynet/activitynet_val_1.jsonl'),
        test=dict(ann_file='data/activitynet/activitynet_val_2.jsonl'),
    ),
    evaluator=dict(
        type='MomentRetrievalMetric',
        recall5=True,
        selection={'MR-full-R1@0.5': 1.0, 'MR-full-R1@0.7': 1.0},
    ),
    clip_length=2.0,
)
