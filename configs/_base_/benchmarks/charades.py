# SPDX-License-Identifier: Apache-2.0
# Charades-STA without features; the files beside this one add them. There is no validation split:
# published runs choose their epoch on the test split, and so does val here. docs/data.md says where
# the files go.
_base_ = './loaders.py'

benchmark = dict(
    name='Charades-STA',
    dataset=dict(
        type='GroundingDataset',
        windows='repair',
        annotations_from='https://github.com/wjun0830/CGDETR/tree/main/data',
        labels=dict(saliency=dict(type='SingleWindow', clip_from='duration')),
        features=dict(length_tolerance=3),
    ),
    splits=dict(
        train=dict(ann_file='data/charades_sta/charades_sta_train_tvr_format.jsonl'),
        val=dict(ann_file='data/charades_sta/charades_sta_test_tvr_format.jsonl'),
    ),
    # `save_best='selection'` takes the mean of both, as CG-DETR and FlashVTG do.
    evaluator=dict(
        type='MomentRetrievalMetric', selection={'MR-full-R1@0.5': 1.0, 'MR-full-R1@0.7': 1.0}
    ),
    clip_length=1.0,
    duration_limit=150.0,
)
