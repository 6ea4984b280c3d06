# SPDX-License-Identifier: Apache-2.0
# TACoS without features; the files beside this one add them. Published runs choose their epoch on
# the test split; here the validation split is used, see docs/data.md, which says where the files go
# too.
_base_ = './loaders.py'

benchmark = dict(
    name='TACoS',
    dataset=dict(
        type='GroundingDataset',
        windows='repair',
        annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
        labels=dict(saliency=dict(type='SingleWindow', clip_from='duration')),
        features=dict(length_tolerance=5),
    ),
    splits=dict(
        train=dict(ann_file='data/tacos/train.jsonl'),
        val=dict(ann_file='data/tacos/val.jsonl'),
        test=dict(ann_file='data/tacos/test.jsonl'),
    ),
    # `save_best='selection'` takes the mean of both, as CG-DETR and FlashVTG do.
    evaluator=dict(
        type='MomentRetrievalMetric', selection={'MR-full-R1@0.5': 1.0, 'MR-full-R1@0.7': 1.0}
    ),
    clip_length=2.0,
)
