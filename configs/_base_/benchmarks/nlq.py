# SPDX-License-Identifier: Apache-2.0
# Ego4D-NLQ without features; the files beside this one add them. Questions about long first-person
# videos (480 s) whose answers last seconds: the annotation is that of version 1 with 8.8 % windows
# without length, which no prediction can hit. The published split is val. docs/data.md says where
# the files go.
_base_ = './loaders.py'

benchmark = dict(
    name='Ego4D-NLQ',
    dataset=dict(
        type='GroundingDataset',
        windows='repair',
        annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data/nlq',
        labels=dict(saliency=dict(type='SingleWindow', clip_from='duration')),
        features=dict(length_tolerance=5),
    ),
    splits=dict(
        train=dict(ann_file='data/nlq/nlq_train.jsonl'),
        val=dict(ann_file='data/nlq/nlq_val.jsonl'),
    ),
    # The official evaluator counts an IoU that exceeds its threshold, other papers one that equals
    # it too.
    evaluator=[
        dict(
            type='MomentRetrievalMetric',
            recall5=True,
            selection={'MR-full-R1@0.3': 1.0, 'MR-full-R1@0.5': 1.0},
        ),
        dict(
            type='RecallMetric', prefix='NLQ', ranks=(1, 3, 5), thresholds=(0.3, 0.5), strict=True
        ),
    ],
    clip_length=2.0,
    grid=None,
)
